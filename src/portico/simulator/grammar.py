"""What the API's messages may contain: an allow-list in the terms of proto3 JSON, and the walk that applies it.

The rule kept: whatever is not listed here is refused the way Google's JSON front end refuses it, before any meaning is
looked at. Names are taken in camelCase and snake_case, `null` is unset, enums come in any case or as numbers, 64-bit
integers as numbers or strings, bytes in either base64 alphabet, and one object may stand where a list of objects is
expected. The walk returns the same message with camelCase names and lists, which is all the other files read.

Notation of the table: `name:Kind` with `*` for repeated, `{}` for a map of that kind, `@x` for membership of oneof x, and
`!g` / `!v` for a field only the Gemini API / only Vertex knows.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portico.simulator.refusal import Json, field_violations

_TABLE = {
    "GenerateContentRequest": """model:string contents:Content* systemInstruction:Content tools:Tool* toolConfig:ToolConfig
        safetySettings:SafetySetting* generationConfig:GenerationConfig cachedContent:string serviceTier:ServiceTier!g
        store:bool!g labels:string{}!v modelArmorConfig:ModelArmorConfig!v continuationToken:string!v""",
    "CountTokensRequest": "model:string contents:Content* generateContentRequest:GenerateContentRequest",
    "VertexCountTokensRequest": """model:string contents:Content* instances:value* systemInstruction:Content tools:Tool*
        generationConfig:GenerationConfig""",
    "EmbedContentRequest": """model:string content:Content taskType:TaskType title:string outputDimensionality:int32
        autoTruncate:bool embedContentConfig:struct""",
    "BatchEmbedContentsRequest": "model:string requests:EmbedContentRequest*",
    "CachedContent": """name:string model:string contents:Content* systemInstruction:Content tools:Tool*
        toolConfig:ToolConfig displayName:string ttl:duration@expiration expireTime:timestamp@expiration
        createTime:timestamp updateTime:timestamp usageMetadata:struct kmsKeyName:string!v""",
    "PredictRequest": "instances:PredictInstance* parameters:PredictParameters",
    "PredictInstance": "content:string taskType:TaskType title:string",
    "PredictParameters": "outputDimensionality:int32 autoTruncate:bool",
    "Content": "parts:Part* role:string",
    "Part": """text:string@data inlineData:Blob@data fileData:FileData@data functionCall:FunctionCall@data
        functionResponse:FunctionResponse@data executableCode:ExecutableCode@data
        codeExecutionResult:CodeExecutionResult@data toolCall:ToolCall@data!g toolResponse:ToolResponse@data!g
        thought:bool thoughtSignature:bytes videoMetadata:VideoMetadata mediaResolution:PartMediaResolution
        partMetadata:struct!g audioTranscription:struct""",
    "Blob": "mimeType:string data:bytes displayName:string!v",
    "FileData": "fileUri:string mimeType:string displayName:string!v",
    "FunctionCall": "id:string name:string args:struct partialArgs:value*!v willContinue:bool!v",
    "FunctionResponse": """id:string name:string response:struct parts:FunctionResponsePart* willContinue:bool
        scheduling:Scheduling""",
    # Google swallows fileData in a tool result on the Gemini API without using it; it is not refused.
    "FunctionResponsePart": "inlineData:Blob@data fileData:FileData@data",
    "ExecutableCode": "id:string language:Language code:string",
    "CodeExecutionResult": "id:string outcome:Outcome output:string",
    "ToolCall": "id:string toolType:ToolType args:struct",
    "ToolResponse": "id:string toolType:ToolType response:struct",
    "VideoMetadata": "startOffset:duration endOffset:duration fps:double",
    "PartMediaResolution": "level:MediaResolution numTokens:int32",
    "SafetySetting": "category:HarmCategory threshold:HarmBlockThreshold method:HarmBlockMethod!v",
    "ModelArmorConfig": "promptTemplateName:string responseTemplateName:string",
    "GenerationConfig": """temperature:float topP:float topK:float candidateCount:int32 maxOutputTokens:int32
        stopSequences:string* responseLogprobs:bool logprobs:int32 presencePenalty:float frequencyPenalty:float seed:int32
        responseMimeType:string responseSchema:Schema responseJsonSchema:value responseFormat:struct
        responseModalities:Modality* mediaResolution:MediaResolution speechConfig:SpeechConfig
        thinkingConfig:ThinkingConfig imageConfig:ImageConfig enableEnhancedCivicAnswers:bool!g audioTimestamp:bool!v
        routingConfig:struct!v modelSelectionConfig:struct!v audioTranscriptionConfig:struct translationConfig:struct!g""",
    "ThinkingConfig": "includeThoughts:bool thinkingBudget:int32 thinkingLevel:ThinkingLevel",
    "ImageConfig": """aspectRatio:string imageSize:string personGeneration:string!v prominentPeople:string!v
        imageOutputOptions:ImageOutputOptions!v""",
    "ImageOutputOptions": "mimeType:string compressionQuality:int32",
    "SpeechConfig": """voiceConfig:VoiceConfig@voice multiSpeakerVoiceConfig:MultiSpeakerVoiceConfig@voice
        languageCode:string""",
    "VoiceConfig": "prebuiltVoiceConfig:PrebuiltVoiceConfig replicatedVoiceConfig:struct",
    "PrebuiltVoiceConfig": "voiceName:string",
    "MultiSpeakerVoiceConfig": "speakerVoiceConfigs:SpeakerVoiceConfig*",
    "SpeakerVoiceConfig": "speaker:string voiceConfig:VoiceConfig",
    "Tool": """functionDeclarations:FunctionDeclaration* googleSearch:GoogleSearch googleSearchRetrieval:struct
        codeExecution:Empty urlContext:Empty fileSearch:FileSearch!g googleMaps:GoogleMaps computerUse:struct
        mcpServers:McpServer*!g retrieval:struct!v enterpriseWebSearch:struct!v parallelAiSearch:struct!v
        exaAiSearch:struct!v""",
    "FunctionDeclaration": """name:string description:string parameters:Schema parametersJsonSchema:value response:Schema
        responseJsonSchema:value behavior:Behavior""",
    "GoogleSearch": """timeRangeFilter:struct!g searchTypes:struct excludeDomains:string*!v
        blockingConfidence:string!v""",
    "GoogleMaps": "enableWidget:bool authConfig:struct!v",
    "FileSearch": "fileSearchStoreNames:string* topK:int32 metadataFilter:string",
    "McpServer": "name:string streamableHttpTransport:struct",
    "Empty": "",
    "ToolConfig": """functionCallingConfig:FunctionCallingConfig retrievalConfig:RetrievalConfig
        includeServerSideToolInvocations:bool!g""",
    "FunctionCallingConfig": "mode:Mode allowedFunctionNames:string* streamFunctionCallArguments:bool!v",
    "RetrievalConfig": "latLng:LatLng languageCode:string",
    "LatLng": "latitude:double longitude:double",
    "Schema": """type:Type format:string title:string description:string nullable:bool enum:string* maxItems:int64
        minItems:int64 properties:Schema{} required:string* minProperties:int64 maxProperties:int64 minLength:int64
        maxLength:int64 pattern:string example:value anyOf:Schema* propertyOrdering:string* default:value items:Schema
        minimum:double maximum:double additionalProperties:value!v ref:string!v defs:Schema{}!v""",
}

# Members in the order of their numbers, since clients may send the number; the name is the answer's form.
_ENUMS = {
    "Type": "TYPE_UNSPECIFIED STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT NULL",
    "Mode": "MODE_UNSPECIFIED AUTO ANY NONE VALIDATED",
    "Modality": "MODALITY_UNSPECIFIED TEXT IMAGE AUDIO VIDEO",
    "MediaResolution": """MEDIA_RESOLUTION_UNSPECIFIED MEDIA_RESOLUTION_LOW MEDIA_RESOLUTION_MEDIUM MEDIA_RESOLUTION_HIGH
        MEDIA_RESOLUTION_ULTRA_HIGH""",
    "ThinkingLevel": "THINKING_LEVEL_UNSPECIFIED LOW MEDIUM HIGH MINIMAL",
    "HarmCategory": """HARM_CATEGORY_UNSPECIFIED HARM_CATEGORY_DEROGATORY HARM_CATEGORY_TOXICITY HARM_CATEGORY_VIOLENCE
        HARM_CATEGORY_SEXUAL HARM_CATEGORY_MEDICAL HARM_CATEGORY_DANGEROUS HARM_CATEGORY_HARASSMENT
        HARM_CATEGORY_HATE_SPEECH HARM_CATEGORY_SEXUALLY_EXPLICIT HARM_CATEGORY_DANGEROUS_CONTENT
        HARM_CATEGORY_CIVIC_INTEGRITY HARM_CATEGORY_IMAGE_HATE HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT
        HARM_CATEGORY_IMAGE_HARASSMENT HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT HARM_CATEGORY_JAILBREAK""",
    "HarmBlockThreshold": """HARM_BLOCK_THRESHOLD_UNSPECIFIED BLOCK_LOW_AND_ABOVE BLOCK_MEDIUM_AND_ABOVE BLOCK_ONLY_HIGH
        BLOCK_NONE OFF""",
    "HarmBlockMethod": "HARM_BLOCK_METHOD_UNSPECIFIED SEVERITY PROBABILITY",
    "Language": "LANGUAGE_UNSPECIFIED PYTHON",
    "Outcome": "OUTCOME_UNSPECIFIED OUTCOME_OK OUTCOME_FAILED OUTCOME_DEADLINE_EXCEEDED",
    "ToolType": "TOOL_TYPE_UNSPECIFIED GOOGLE_SEARCH_WEB GOOGLE_SEARCH_IMAGE URL_CONTEXT GOOGLE_MAPS FILE_SEARCH",
    "Scheduling": "SCHEDULING_UNSPECIFIED SILENT WHEN_IDLE INTERRUPT",
    "Behavior": "UNSPECIFIED BLOCKING NON_BLOCKING",
    "ServiceTier": "UNSPECIFIED STANDARD FLEX PRIORITY SERVICE_TIER_STANDARD SERVICE_TIER_FLEX SERVICE_TIER_PRIORITY",
    "TaskType": """TASK_TYPE_UNSPECIFIED RETRIEVAL_QUERY RETRIEVAL_DOCUMENT SEMANTIC_SIMILARITY CLASSIFICATION CLUSTERING
        QUESTION_ANSWERING FACT_VERIFICATION CODE_RETRIEVAL_QUERY""",
}


@dataclass(frozen=True)
class Field:
    """One field of a message: its camelCase name, what it holds, and where it exists."""

    name: str
    kind: str
    repeated: bool
    mapped: bool
    oneof: str
    only: str

    @property
    def snake(self) -> str:
        return _snake(self.name)


_FIELD = re.compile(r"(\w+):(\w+)(\*|\{\})?(?:@(\w+))?(?:!([gv]))?$")


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda m: "_" + m[1].lower(), name)


def _fields(spec: str) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for word in spec.split():
        match = _FIELD.match(word)
        assert match, word  # noqa: S101 - the table above is ours
        name, kind, many, oneof, only = match.groups()
        field = Field(name, kind, many == "*", many == "{}", oneof or "", only or "")
        fields[name] = fields[field.snake] = field
    return fields


MESSAGES = {name: _fields(spec) for name, spec in _TABLE.items()}
ENUMS = {name: members.split() for name, members in _ENUMS.items()}


def read(message: str, value: Any, *, vertex: bool) -> Json:
    """`value` as a `message`, with camelCase names, unset fields gone and lists where lists belong.

    Raises `Refused` (400, BadRequest.fieldViolations) naming every unknown field and every value of a wrong type.
    """
    walk = _Walk("v" if vertex else "g")
    result = walk.message(message, value, "")
    if walk.violations:
        raise field_violations(walk.violations)
    return result


class _Walk:
    def __init__(self, edition: str) -> None:
        self.edition = edition
        self.violations: list[tuple[str, str]] = []

    def bad(self, path: str, kind: str, value: Any) -> None:
        shown = f'"{value}"' if isinstance(value, str) else _plain(value)
        self.violations.append((path, f"Invalid value at '{path}' ({kind}), {shown}"))

    def message(self, name: str, value: Any, path: str) -> Json:
        if not isinstance(value, dict):
            if isinstance(value, list):
                text = f'Invalid JSON payload received. Unknown name "{path.rpartition(".")[2]}"'
                at = f" at '{path.rpartition('.')[0]}'" if "." in path else ""
                self.violations.append((path, f"{text}{at}: Proto field is not repeating, cannot start list."))
            else:
                self.bad(path, f"type.googleapis.com/google.ai.generativelanguage.v1beta.{name}", value)
            return {}
        fields, result, chosen = MESSAGES[name], Json(), dict[str, str]()
        for key, inner in value.items():
            field = fields.get(key)
            if field is None or field.only not in ("", self.edition):
                at = f" at '{path}'" if path else ""
                text = f'Invalid JSON payload received. Unknown name "{key}"{at}: Cannot find field.'
                self.violations.append((path, text))
                continue
            if inner is None and field.kind != "value":
                continue
            if field.oneof:
                if field.oneof in chosen and chosen[field.oneof] != field.name:
                    text = f"oneof field '{field.oneof}' is already set. Cannot set '{field.name}'"
                    self.violations.append((path, f"Invalid value at '{path}' (oneof), {text}"))
                chosen[field.oneof] = field.name
            result[field.name] = self.field(field, inner, f"{path}.{field.snake}" if path else field.snake)
        return result

    def field(self, field: Field, value: Any, path: str) -> Any:
        if field.mapped:
            if not isinstance(value, dict):
                self.bad(path, "Map", value)
                return {}
            entries = enumerate(value.items())
            return {key: self.one(field.kind, inner, f"{path}[{n}].value") for n, (key, inner) in entries}
        if not field.repeated:
            return self.one(field.kind, value, path)
        if isinstance(value, dict) and (field.kind in MESSAGES or field.kind == "value"):
            value = [value]
        if not isinstance(value, list):
            self.bad(path, _TYPE_NAMES.get(field.kind, field.kind), value)
            return []
        return [self.one(field.kind, inner, f"{path}[{n}]") for n, inner in enumerate(value)]

    def one(self, kind: str, value: Any, path: str) -> Any:
        if kind in MESSAGES:
            return self.message(kind, value, path)
        if kind in ENUMS:
            return self.enum(kind, value, path)
        return self.scalar(kind, value, path)

    def enum(self, kind: str, value: Any, path: str) -> str:
        members = ENUMS[kind]
        if isinstance(value, str) and value.upper() in members:
            return value.upper()
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(members):
            return members[value]
        self.bad(path, f"type.googleapis.com/google.ai.generativelanguage.v1beta.{kind}", value)
        return members[0]

    def scalar(self, kind: str, value: Any, path: str) -> Any:
        read_scalar = _SCALARS.get(kind)
        if read_scalar is None:  # value
            return value
        try:
            return read_scalar(value)
        except (TypeError, ValueError, OverflowError):
            self.bad(path, _TYPE_NAMES[kind], value)
            return read_scalar(_ZERO[kind])


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)[:200]


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    return float(value)


def _integer(bits: int) -> Any:
    def read_integer(value: Any) -> int:
        number = _float(value)
        result = int(value) if isinstance(value, int | str) and not isinstance(value, bool) else int(number)
        if number != result or not -(2 ** (bits - 1)) <= result < 2 ** (bits - 1):
            raise ValueError
        return result

    return read_integer


def _struct(value: Any) -> Json:
    if not isinstance(value, dict):
        raise TypeError
    return value


_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}\s*\Z")


def _bytes(value: Any) -> str:
    if not isinstance(value, str) or not _BASE64.match(value) or len(value.rstrip("= \n\r")) % 4 == 1:
        raise TypeError
    return value


def decode_bytes(value: str) -> bytes:
    """The bytes of a proto3 JSON bytes field: either alphabet, padded or not. b"" if it is not base64."""
    text = value.strip().rstrip("=").translate(_URL_SAFE)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""


_URL_SAFE = str.maketrans("-_", "+/")

_DURATION = re.compile(r"-?\d+(\.\d{1,9})?s\Z")


def _duration(value: Any) -> str:
    if not isinstance(value, str) or not _DURATION.match(value):
        raise TypeError
    return value


def _timestamp(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    seconds_of(value)
    return value


_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)\Z")


def seconds_of(timestamp: str) -> float:
    """Epoch seconds of an RFC 3339 time. Raises ValueError."""
    match = _TIMESTAMP.match(timestamp)
    if match is None:
        raise ValueError(timestamp)
    zone = "+00:00" if match[3] in "Zz" else match[3]
    return datetime.fromisoformat(match[1] + zone).timestamp() + float(match[2] or 0)


_SCALARS: dict[str, Any] = {
    "string": _string,
    "bool": _bool,
    "float": _float,
    "double": _float,
    "int32": _integer(32),
    "int64": _integer(64),
    "bytes": _bytes,
    "struct": _struct,
    "duration": _duration,
    "timestamp": _timestamp,
}
_ZERO: dict[str, Any] = {
    "string": "",
    "bool": False,
    "float": 0,
    "double": 0,
    "int32": 0,
    "int64": 0,
    "bytes": "",
    "struct": {},
    "duration": "0s",
    "timestamp": "1970-01-01T00:00:00Z",
}
_TYPE_NAMES = {
    "string": "TYPE_STRING",
    "bool": "TYPE_BOOL",
    "float": "TYPE_FLOAT",
    "double": "TYPE_DOUBLE",
    "int32": "TYPE_INT32",
    "int64": "TYPE_INT64",
    "bytes": "TYPE_BYTES",
    "struct": "type.googleapis.com/google.protobuf.Struct",
    "duration": "type.googleapis.com/google.protobuf.Duration",
    "timestamp": "type.googleapis.com/google.protobuf.Timestamp",
}
