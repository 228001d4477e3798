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
PROCESS_PARENT_PID = "process.parent_pid"
PROCESS_SESSION_LEADER_PID = "process.session_leader.pid"
PROCESS_GROUP_LEADER_PID = "process.group_leader.pid"
PROCESS_EXECUTABLE_NAME = "process.executable.name"
PROCESS_EXECUTABLE_PATH = "process.executable.path"
TEST_SUITE_NAME = "test.suite.name"
TEST_RUN_STATUS = "test.suite.run.status"
TEST_CASE_NAME = "test.case.name"
TEST_CASE_STATUS = "test.case.result.status"
MCP_METHOD = "mcp.method.name"
MCP_PROTOCOL_VERSION = "mcp.protocol.version"
MCP_SESSION_ID = "mcp.session.id"
JSONRPC_ID = "jsonrpc.request.id"
RPC_STATUS = "rpc.response.status_code"
NETWORK_TRANSPORT = "network.transport"
NETWORK_PROTOCOL = "network.protocol.name"
CODE_FILE = "code.file.path"
CODE_LINE = "code.line.number"
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
"""On a link: `retry_of`, `requested_by`, `agent_span`, `sent_over`, `continues`, `mcp_server`."""

TOOL_STATE = "traceproof.tool.state"
"""`answered`, or `unanswered`: the session ended, or a retry replaced the call, before a result."""

MCP_SERVER = "traceproof.mcp.server"
"""What the agent's configuration calls an MCP server."""

MCP_SERVER_INFO = "traceproof.mcp.server_info"
MCP_INSTRUCTIONS = "traceproof.mcp.instructions"
"""What a server said of itself when it was connected to: JSON, and text for the model."""

MCP_FROM = "traceproof.mcp.from"
MCP_SECONDS = "traceproof.mcp.seconds"
"""On an event for a request that is no tool call: whose it was, and how long its answer took."""

MCP_UNNOTED = "traceproof.mcp.unnoted"
"""How many such requests have no event: there were too many."""

MCP_STDERR = "traceproof.mcp.stderr"
MCP_STATE = "traceproof.mcp.state"
"""How the connection to a server ended: `ended`, `cut`, or `running` when the recording did."""

MCP_SHARED = frozenset({
    MCP_PROTOCOL_VERSION, MCP_SESSION_ID, NETWORK_TRANSPORT, NETWORK_PROTOCOL, SERVER_ADDRESS,
    SERVER_PORT,
})  # fmt: skip
"""What stands on the tool calls of an MCP server as it does on its own span."""

COMMAND_SCRIPT = "traceproof.command.script"
"""The text that a shell was given with `-c`."""

COMMAND_STDOUT = "traceproof.command.stdout"
COMMAND_STDERR = "traceproof.command.stderr"
COMMAND_OUTPUT = "traceproof.command.output"
"""Both streams of a command, as they came: they were one open file."""

CHUNKS = ".chunks"
SIZE = ".size"
"""After the name of a stream: when its pieces came, and how many bytes it brought."""

COMMAND_MERGED = "traceproof.command.merged"
COMMAND_STREAMS = "traceproof.command.streams"
"""The kinds of a command's stdin, stdout and stderr."""

COMMAND_ENVIRONMENT = "traceproof.command.environment"
COMMAND_HOOK = "traceproof.command.hook"
"""The hook that made the agent start the recorder's shim instead of the shell."""

COMMAND_STATE = "traceproof.command.state"
"""`ended`, `cut`, `running` when the recording ended first, `unrecorded`, `pending` in flight."""

COMMAND_FOR = "traceproof.command.for"
"""Who ran a command: a `tool` call, or the `agent` for itself. Absent while that is not settled."""

COMMAND_SIGNAL = "traceproof.command.signal"
COMMAND_CPU_USER = "traceproof.command.cpu.user"
COMMAND_CPU_SYSTEM = "traceproof.command.cpu.system"
COMMAND_MEMORY_PEAK = "traceproof.command.memory.peak"
COMMAND_OUTLIVED = "traceproof.command.outlived"
"""Something that a command started still held its output when the command had ended."""

COMMAND_LOST = "traceproof.command.lost"
COMMAND_FAULT = "traceproof.command.fault"
"""How many bytes of output are missing, and what went wrong while a command was recorded."""

TEST_CASE = "test.case"
"""The name of the event for one case of a test run."""

TEST_SOURCE = "traceproof.test.source"
"""How a test run's results were learned: `plugin`, `output`, `exit_code`."""

TEST_FRAMEWORK = "traceproof.test.framework"
TEST_VERSION = "traceproof.test.version"
TEST_RUNNER = "traceproof.test.runner"
"""What the command ran, as far as its words tell: `pytest`, `make check`."""

TEST_SECONDS = "traceproof.test.seconds"
TEST_COUNT = "traceproof.test.count."
"""Prefix: how many cases ended so, `traceproof.test.count.passed` for instance."""

TEST_FACT = "traceproof.test.fact."
"""Prefix: what else a tool said of a run, `traceproof.test.fact.seed` for instance."""

TEST_PART = "traceproof.test.part"
TEST_UNKNOWN = "traceproof.test.unknown"
"""Why it is not known how a run ended."""

TEST_CASE_OUTCOME = "traceproof.test.case.outcome"
"""`passed`, `failed`, `error`, `skipped`, `xfailed`, `xpassed`, `unknown`."""

TEST_CASE_SECONDS = "traceproof.test.case.seconds"
TEST_CASE_MESSAGE = "traceproof.test.case.message"
TEST_CASE_PHASE = "traceproof.test.case.phase"
TEST_CASE_ATTEMPTS = "traceproof.test.case.attempts"

TOOL_IS_ERROR = "traceproof.tool.is_error"
TOOL_APPROVAL = "traceproof.tool.approval"
"""How a tool call was allowed: `auto`, `granted`, `denied`, `bypassed`."""

TOOL_APPROVAL_FROM = "traceproof.tool.approval.from"
"""What says so: `agent_span`, `transcript`, or, inferred, `result` or `mode`."""

TOOL_APPROVAL_SOURCE = "traceproof.tool.approval.source"
"""Who or what decided, in the agent's words: `config`, `user_reject`, `bypassPermissions`."""
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
SNAPSHOT_EVENT = "traceproof.snapshot"
"""Event on what changed the workspace, and on the root for how it was at the start."""

EXTERNAL_CHANGE_EVENT = "traceproof.external_change"
"""Event on the root: the workspace changed, and neither a tool call nor a command did it."""

SNAPSHOT_NUMBER = "traceproof.snapshot.number"
SNAPSHOT_CHANGES = "traceproof.snapshot.changes"
SNAPSHOT_DIFF = "traceproof.snapshot.diff"
SNAPSHOT_FILES = "traceproof.snapshot.files"
SNAPSHOT_PATHS = "traceproof.snapshot.paths"
SNAPSHOT_MASKED = "traceproof.snapshot.masked"
SNAPSHOT_LEFT_OUT = "traceproof.snapshot.left_out"
SNAPSHOT_BY = "traceproof.snapshot.by"
SNAPSHOT_SHARED_WITH = "traceproof.snapshot.shared_with"
SNAPSHOT_PAUSED = "traceproof.snapshot.paused"
SNAPSHOT_PROBLEM = "traceproof.snapshot.problem"
EXTERNAL_CHANGE_ACTOR = "traceproof.external_change.actor"
TREE_BEFORE = "traceproof.tree.before"
TREE_AFTER = "traceproof.tree.after"
TREE_START = "traceproof.tree.start"
TREE_END = "traceproof.tree.end"
WORKSPACE_ROOT = "traceproof.workspace.root"
WORKSPACE_COMMIT = "traceproof.workspace.commit"
WORKSPACE_HASH = "traceproof.workspace.hash"
WORKSPACE_RULE = "traceproof.workspace.rule"
WORKSPACE_DIFF = "traceproof.workspace.diff"

USER_NAME = "user.name"
SESSION_JOIN = "traceproof.session.join"
"""On the root: how calls were told to be of this session.

`exact` by the session that the agent names, `user` by the proxy's user, `inferred` by the
beginning of the conversation, `other` for calls that belong to none. Absent where one agent ran.
"""

EVENT_FROM = "traceproof.event.from"
"""On an event of an agent's span: `transcript` where the wire did not show it."""

IMPORT_SOURCE = "traceproof.import.source"
"""The format of the transcript that a trace was made from: `claude-code`, `codex`, `atif`, …"""

IMPORT_FILES = "traceproof.import.files"
"""The files of a transcript: `name`, `sha256` and `bytes` of each, the main one first."""

IMPORT_DIGEST = "traceproof.import.digest"
"""By which an import is known again: the SHA-256 of the files' own, one a line."""

IMPORT_TIMES = "traceproof.import.times"
"""What the times are worth: `told`, `partial`, or `order` where the transcript has none."""

IMPORT_MISSING = "traceproof.import.missing"
"""The facts that a transcript lacks, and a recording has; the words are in docs/importing.md."""

IMPORT_PROBLEMS = "traceproof.import.problems"
"""What could not be made sense of in a transcript, a line each with how often."""

IMPORT_EXTRA = "traceproof.import.extra"
"""What else a transcript says of the session, as JSON, by its own names."""

RECORDING_LOST = "traceproof.recording.lost"
SHELL_HOOKS = "traceproof.shell.hooks"
"""On the root: how the agent's shells were reached: `namespace`, or variables such as `SHELL`."""

SHELL_UNHOOKED = "traceproof.shell.unhooked"
"""On the root: which shells were not, and why, one line each."""

RECORDING_MODE = "traceproof.recording.mode"
SOURCE = "traceproof.source"
"""On a resource: `recorder` for our spans, `agent` for those the agent sent of itself."""

PENDING = "traceproof.pending"
"""On a span that left the trace file (export, push) without an end of its own: true."""

CUT = "traceproof.cut"
"""On a span that left the trace file: the attributes of which only the beginning went along."""

MISSING = "traceproof.missing"
"""On a span that left the trace file: the attributes whose content could not be read there."""
