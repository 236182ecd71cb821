// What comes: the events of each API's stream become one answer. `raw` is the answer as the API wants it back.
//
// A reader is fed one event after the other and changes its answer: text, thoughts, images, calls, usage, finish, failure.

export function newAnswer(request, name) {
  return {
    dialect: request.dialect, name, text: "", thoughts: "", images: [], calls: [], usage: null, finish: "", ended: false, failure: null, raw: null,
  };
}

export function readerOf(answer) {
  return new READERS[answer.dialect](answer);
}

// What is wrong, of any API's error: {message, code, doc}.
export function failureOf(body, status = 0) {
  const error = body?.error ?? body?.response?.error ?? {};
  const help = (error.details ?? []).flatMap((one) => one.links ?? [])[0];
  const doc = error.doc ?? help?.url ?? "";
  const code = doc.includes("#") ? doc.split("#").pop() : help?.description ?? (typeof error.code === "string" ? error.code : "") ?? "";
  return { status, message: error.message ?? "", code: code || BY_TYPE[error.type ?? error.status] || error.type || error.status || "", doc };
}

// Inside a stream Anthropic and Google say a kind of error, and no code.
const BY_TYPE = {
  overloaded_error: "overloaded", rate_limit_error: "rate_limit_exceeded", timeout_error: "upstream_timeout", api_error: "upstream_error",
  billing_error: "insufficient_funds", UNAVAILABLE: "overloaded", RESOURCE_EXHAUSTED: "rate_limit_exceeded", INTERNAL: "upstream_error",
};

class Reader {
  constructor(answer) {
    this.answer = answer;
  }

  // Nothing more comes. What is there of an answer that was cut off can be gone on from, too.
  close() {}

  call(id, name, args, more = {}) {
    this.answer.calls.push({ id, name, args, ...more });
  }
}

// -- OpenAI: Chat Completions -------------------------------------------------------------------------------------------------

class ChatReader extends Reader {
  constructor(answer) {
    super(answer);
    this.message = { role: "assistant", content: null };
    this.calls = [];
  }

  feed(event) {
    const { answer } = this;
    if (event.error) answer.failure = failureOf(event);
    if (event.usage) answer.usage = chatUsage(event.usage);
    const choice = event.choices?.find((one) => (one.index ?? 0) === 0);
    if (!choice) return;
    if (choice.finish_reason) {
      answer.finish = choice.finish_reason;
      answer.ended = true;
    }
    this.delta(choice.delta ?? {});
  }

  delta(delta) {
    const { answer, message } = this;
    if (delta.content) {
      message.content = (message.content ?? "") + delta.content;
      answer.text += delta.content;
    }
    if (delta.refusal) {
      message.refusal = (message.refusal ?? "") + delta.refusal;
      answer.text += delta.refusal;
    }
    const thought = delta.reasoning_content ?? delta.reasoning ?? "";
    answer.thoughts += typeof thought === "string" ? thought : "";
    for (const name of ["reasoning_content", "reasoning"]) {
      if (typeof delta[name] === "string") message[name] = (message[name] ?? "") + delta[name];
    }
    for (const detail of delta.reasoning_details ?? []) message.reasoning_details = merged(message.reasoning_details ?? [], detail);
    if (delta.extra_content) message.extra_content = deep(message.extra_content, delta.extra_content);
    for (const image of delta.images ?? []) {
      (message.images ??= []).push(image);
      answer.images.push(image.image_url?.url ?? "");
    }
    for (const piece of delta.tool_calls ?? []) this.piece(piece);
  }

  piece(piece) {
    const at = piece.index ?? this.calls.length;
    const { index: _, function: named, ...rest } = piece;
    const call = (this.calls[at] ??= { id: "", type: "function", function: { name: "", arguments: "" } });
    for (const [name, value] of Object.entries(rest)) call[name] = name === "extra_content" ? deep(call[name], value) : value ?? call[name];
    call.function.name += named?.name ?? "";
    call.function.arguments += named?.arguments ?? "";
    this.answer.calls = this.calls.filter(Boolean).map((one) => ({ id: one.id, name: one.function.name, args: one.function.arguments }));
  }

  close() {
    const calls = this.calls.filter(Boolean);
    if (calls.length) this.message.tool_calls = calls;
    this.answer.raw = this.message.content === null && !calls.length && !this.message.images ? null : this.message;
  }
}

function chatUsage(usage) {
  return {
    input: usage.prompt_tokens ?? 0,
    output: usage.completion_tokens ?? 0,
    cached: usage.prompt_tokens_details?.cached_tokens ?? 0,
    thoughts: usage.completion_tokens_details?.reasoning_tokens ?? 0,
  };
}

// Pieces of one detail carry its index; their texts are joined, what seals them comes last.
function merged(details, piece) {
  const last = details.find((one) => one.index !== undefined && one.index === piece.index && one.type === piece.type);
  if (!last) return [...details, { ...piece }];
  for (const [name, value] of Object.entries(piece)) {
    last[name] = ["text", "summary", "data"].includes(name) && typeof last[name] === "string" ? last[name] + value : value ?? last[name];
  }
  return details;
}

function deep(one, other) {
  if (!isObject(one) || !isObject(other)) return other;
  const told = { ...one };
  for (const [name, value] of Object.entries(other)) {
    if (name !== "__proto__") told[name] = deep(told[name], value);
  }
  return told;
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

// -- OpenAI: Responses ----------------------------------------------------------------------------------------------------------

class ResponsesReader extends Reader {
  constructor(answer) {
    super(answer);
    this.items = [];
  }

  feed(event) {
    const { answer } = this;
    switch (event.type) {
      case "response.output_text.delta":
      case "response.refusal.delta":
        answer.text += event.delta;
        break;
      case "response.reasoning_summary_text.delta":
      case "response.reasoning_text.delta":
        answer.thoughts += event.delta;
        break;
      case "response.reasoning_summary_part.added":
        if (answer.thoughts) answer.thoughts += "\n\n";
        break;
      case "response.output_item.done":
        this.item(event.item);
        break;
      case "response.completed":
      case "response.incomplete":
        answer.usage = responsesUsage(event.response.usage);
        answer.finish = event.response.incomplete_details?.reason ?? event.response.status;
        answer.ended = true;
        break;
      case "response.failed":
      case "error":
        answer.failure ??= failureOf(event.type === "error" && !event.error ? { error: event } : event);
        if (event.response?.usage) answer.usage = responsesUsage(event.response.usage);
        break;
    }
    if (event.error && !event.type) answer.failure = failureOf(event);
  }

  item(item) {
    this.items.push(item);
    if (item.type === "function_call") this.call(item.call_id, item.name, item.arguments);
    if (item.type === "image_generation_call" && item.result) this.answer.images.push(`data:image/${item.output_format ?? "png"};base64,${item.result}`);
  }

  close() {
    this.answer.raw = this.items.length ? this.items : null;
  }
}

function responsesUsage(usage) {
  if (!usage) return null;
  return {
    input: usage.input_tokens ?? 0,
    output: usage.output_tokens ?? 0,
    cached: usage.input_tokens_details?.cached_tokens ?? 0,
    thoughts: usage.output_tokens_details?.reasoning_tokens ?? 0,
  };
}

// -- Anthropic: Messages --------------------------------------------------------------------------------------------------------

class MessagesReader extends Reader {
  constructor(answer) {
    super(answer);
    this.blocks = [];
    this.usage = {};
  }

  feed(event) {
    const { answer } = this;
    switch (event.type) {
      case "message_start":
        this.counted(event.message.usage);
        break;
      case "content_block_start":
        this.begun(event.index, event.content_block);
        break;
      case "content_block_delta":
        this.delta(this.blocks[event.index], event.delta);
        break;
      case "content_block_stop":
        this.stopped(this.blocks[event.index]);
        break;
      case "message_delta":
        answer.finish = event.delta.stop_reason ?? answer.finish;
        this.counted(event.usage);
        break;
      case "message_stop":
        answer.ended = true;
        break;
      case "error":
        answer.failure = failureOf(event);
        break;
    }
  }

  begun(index, begun) {
    const block = (this.blocks[index] = structuredClone(begun));
    this.answer.text += block.type === "text" ? block.text : "";
    this.answer.thoughts += block.type === "thinking" ? block.thinking : "";
    if (block.type === "image" && block.source?.type === "base64") this.answer.images.push(`data:${block.source.media_type};base64,${block.source.data}`);
  }

  delta(block, delta) {
    const { answer } = this;
    if (delta.type === "text_delta") {
      block.text += delta.text;
      answer.text += delta.text;
    } else if (delta.type === "thinking_delta") {
      block.thinking += delta.thinking;
      answer.thoughts += delta.thinking;
    } else if (delta.type === "signature_delta") {
      block.signature = (block.signature ?? "") + delta.signature;
    } else if (delta.type === "input_json_delta") {
      block.json = (block.json ?? "") + delta.partial_json;
    } else if (delta.type === "citations_delta") {
      (block.citations ??= []).push(delta.citation);
    }
  }

  stopped(block) {
    if (block?.json !== undefined) {
      try {
        block.input = JSON.parse(block.json || "{}");
      } catch {
        block.input = {};
      }
      delete block.json;
    }
    if (block?.type === "tool_use") this.call(block.id, block.name, JSON.stringify(block.input ?? {}));
  }

  counted(usage = {}) {
    this.usage = { ...this.usage, ...usage };
    const { input_tokens = 0, cache_read_input_tokens = 0, cache_creation_input_tokens = 0, output_tokens = 0 } = this.usage;
    this.answer.usage = {
      input: input_tokens + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0),
      output: output_tokens,
      cached: cache_read_input_tokens ?? 0,
      thoughts: this.usage.output_tokens_details?.thinking_tokens ?? 0,
    };
  }

  close() {
    const content = this.blocks.filter((one) => one && one.json === undefined && !(one.type === "text" && !one.text));
    this.answer.raw = content.length ? { role: "assistant", content } : null;
  }
}

// -- Google: Gemini -------------------------------------------------------------------------------------------------------------

class GeminiReader extends Reader {
  constructor(answer) {
    super(answer);
    this.parts = [];
  }

  feed(event) {
    const { answer } = this;
    if (event.error) answer.failure = failureOf(event);
    if (event.usageMetadata) answer.usage = geminiUsage(event.usageMetadata);
    if (event.promptFeedback?.blockReason) {
      answer.finish = event.promptFeedback.blockReason;
      answer.ended = true;
    }
    const candidate = event.candidates?.find((one) => (one.index ?? 0) === 0);
    for (const part of candidate?.content?.parts ?? []) this.part(part);
    if (candidate?.finishReason) {
      answer.finish = candidate.finishReason;
      answer.ended = true;
    }
  }

  part(part) {
    const { answer } = this;
    if (part.text) answer[part.thought ? "thoughts" : "text"] += part.text;
    if (part.inlineData && !part.thought) answer.images.push(`data:${part.inlineData.mimeType};base64,${part.inlineData.data}`);
    if (part.functionCall) this.call(part.functionCall.id ?? "", part.functionCall.name, JSON.stringify(part.functionCall.args ?? {}));
    const last = this.parts.at(-1);
    if (isText(part) && last && isText(last) && !last.thought === !part.thought) last.text += part.text;
    else if (Object.keys(part).some((name) => name !== "text") || part.text) this.parts.push({ ...part });
  }

  close() {
    this.answer.raw = this.parts.length ? { role: "model", parts: this.parts } : null;
  }
}

// Text that may grow: what is signed stays as it is.
const isText = (part) => typeof part.text === "string" && !part.thoughtSignature;

function geminiUsage(usage) {
  const thoughts = usage.thoughtsTokenCount ?? 0;
  return {
    input: (usage.promptTokenCount ?? 0) + (usage.toolUsePromptTokenCount ?? 0),
    output: (usage.candidatesTokenCount ?? 0) + thoughts,
    cached: usage.cachedContentTokenCount ?? 0,
    thoughts,
  };
}

const READERS = { openai_chat: ChatReader, openai_responses: ResponsesReader, anthropic_messages: MessagesReader, gemini: GeminiReader };
