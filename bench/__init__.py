"""What a request costs: gateways measured on this machine, in one run, by the CPU time of their process trees."""
