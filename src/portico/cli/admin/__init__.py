"""The commands of an administrator, one module for each noun. What they do is in `portico.admin`; here is how they are
asked for and how they are told."""
