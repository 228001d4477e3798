"""Names: the OpenTelemetry conventions pinned here, and our own attributes.

GenAI conventions are in development and still rename things: other versions, and what they call
things, are in `traceproof.recorder.conventions`.
"""

from __future__ import annotations

FORMAT_VERSION = 1
"""The trace format's version, independent of the package's. A reader refuses a higher one."""

SEMCONV_VERSION = "1.41.1"
SCHEMA_URL = f"https://opentelemetry.io/schemas/{SEMCONV_VERSION}"

# --- OpenTelemetry ------------------------------------------------------------------------------
OPERATION_NAME = "gen_ai.operation.name"
PROVIDER_NAME = "gen_ai.provider.name"
AGENT_NAME = "gen_ai.agent.name"
AGENT_VERSION = "gen_ai.agent.version"
AGENT_ID = "gen_ai.agent.id"
CONVERSATION_ID = "gen_ai.conversation.id"
REQUEST_MODEL = "gen_ai.request.model"
REQUEST_STREAM = "gen_ai.request.stream"
RESPONSE_ID = "gen_ai.response.id"
RESPONSE_MODEL = "gen_ai.response.model"
FINISH_REASONS = "gen_ai.response.finish_reasons"
TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
CACHE_CREATION_TOKENS = "gen_ai.usage.cache_creation.input_tokens"
REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
TOOL_DEFINITIONS = "gen_ai.tool.definitions"
TOOL_NAME = "gen_ai.tool.name"
TOOL_TYPE = "gen_ai.tool.type"
TOOL_CALL_ID = "gen_ai.tool.call.id"
TOOL_CALL_ARGUMENTS = "gen_ai.tool.call.arguments"
TOOL_CALL_RESULT = "gen_ai.tool.call.result"
ERROR_TYPE = "error.type"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
HTTP_METHOD = "http.request.method"
HTTP_STATUS = "http.response.status_code"
HTTP_RESEND_COUNT = "http.request.resend_count"
URL_PATH = "url.path"
URL_QUERY = "url.query"
PROCESS_COMMAND_ARGS = "process.command_args"
PROCESS_WORKING_DIRECTORY = "process.working_directory"
PROCESS_EXIT_CODE = "process.exit.code"
PROCESS_PID = "process.pid"
VCS_URL = "vcs.repository.url.full"
VCS_REVISION = "vcs.ref.head.revision"
VCS_BRANCH = "vcs.ref.head.name"

# --- ours ---------------------------------------------------------------------------------------
FORMAT = "traceproof.format.version"
"""On the resource: the trace format's version."""

REF = "traceproof.ref."
"""Prefix: `traceproof.ref.X` = `form:sha256` says that attribute X is in a blob.

The forms are in docs/trace-format.md.
"""

REQUEST_BODY = "traceproof.request.body"
RESPONSE_BODY = "traceproof.response.body"
REQUEST_HEADERS = "traceproof.request.headers"
RESPONSE_HEADERS = "traceproof.response.headers"
REQUEST_CHUNKS = "traceproof.request.chunks"
RESPONSE_CHUNKS = "traceproof.response.chunks"
RESPONSE_EXTRA = "traceproof.response.extra"
RESPONSE_UNKNOWN = "traceproof.response.unknown"
UPSTREAM = "traceproof.upstream"
"""Where a route sent a call instead of the host it was meant for."""

REQUEST_ENCODING = "traceproof.request.encoding"
RESPONSE_ENCODING = "traceproof.response.encoding"
BODY_KEPT_DECODED = "traceproof.body.kept_decoded"
DIALECT = "traceproof.dialect"
TRANSPORT = "traceproof.transport"
"""`websocket` on calls that went over one, and on the exchange that opened it; else absent."""

WEBSOCKET_CLOSED = "traceproof.websocket.closed"
"""Who closed a web socket, with which code and reason."""

CALL_PURPOSE = "traceproof.call.purpose"
"""Why the agent made a call: `main`, or a side call (`title`, `quota`, `count_tokens`, …)."""

CALL_STATE = "traceproof.call.state"
"""How a call ended: `complete`, `cut`, `refused` or `failed`; `pending` while it has not.

`unrecorded` says that recording was paused meanwhile, and that what came was not kept.
"""

CALL_PROBLEM = "traceproof.call.problem"
"""What the recorder could not make sense of in this call; its bytes are kept all the same."""

LINK_TYPE = "traceproof.link"
"""On a link: `retry_of`, `requested_by`, `agent_span`, `sent_over`, `continues`."""

TOOL_STATE = "traceproof.tool.state"
"""`answered`, or `unanswered`: the session ended, or a retry replaced the call, before a result."""

TOOL_IS_ERROR = "traceproof.tool.is_error"
TOOL_APPROVAL = "traceproof.tool.approval"
JOIN = "traceproof.join"
EVIDENCE = "traceproof.evidence"
ORIGIN = "traceproof.origin"
CONSENT = "traceproof.consent"
SCENARIO = "traceproof.scenario"
RESERVE_EVAL = "traceproof.reserve_eval"
TASK_ID = "traceproof.task.id"
TASK_ATTEMPT = "traceproof.task.attempt"
TASK_TYPE = "traceproof.task.type"
TASK_RISK = "traceproof.task.risk"
TASK_SOURCE_URL = "traceproof.task.source_url"
TASK_CONTRACT = "traceproof.task.contract"
VCS_DIRTY_PATCH = "traceproof.vcs.dirty_patch"
VCS_UNTRACKED = "traceproof.vcs.untracked"
VCS_CAP = "traceproof.vcs.cap"
VCS_STATE = "traceproof.vcs.state"
USER_NAME = "user.name"
SESSION_JOIN = "traceproof.session.join"
"""On the root: how calls were told to be of this session.

`exact` by the session that the agent names, `user` by the proxy's user, `inferred` by the
beginning of the conversation, `other` for calls that belong to none. Absent where one agent ran.
"""

RECORDING_LOST = "traceproof.recording.lost"
RECORDING_MODE = "traceproof.recording.mode"
SOURCE = "traceproof.source"
"""On a resource: `recorder` for our spans, `agent` for those the agent sent of itself."""

PENDING = "traceproof.pending"
"""On a span that left the trace file (export, push) without an end of its own: true."""

MISSING = "traceproof.missing"
"""On a span that left the trace file: the attributes whose content could not be read there."""
