"""Who is behind an OpenAI-compatible host: the format is OpenAI's, the provider is not.

Source: the well-known values of `gen_ai.provider.name` in the semantic conventions v1.41.1. Hosts
of providers that the conventions do not know go by a name of the same kind.
"""

from __future__ import annotations

from traceproof.proxy.dialects.base import Dialect

_OPENAI = "openai"

_BY_HOST = {
    "openai.azure.com": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.inference",
    "inference.ai.azure.com": "azure.ai.inference",
    "amazonaws.com": "aws.bedrock",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "api.mistral.ai": "mistral_ai",
    "codestral.mistral.ai": "mistral_ai",
    "api.deepseek.com": "deepseek",
    "api.x.ai": "x_ai",
    "api.groq.com": "groq",
    "api.cohere.com": "cohere",
    "api.perplexity.ai": "perplexity",
    "api.moonshot.ai": "moonshot_ai",
    "api.moonshot.cn": "moonshot_ai",
    "openrouter.ai": "openrouter",
    "models.github.ai": "github",
    "githubcopilot.com": "github",
    "router.huggingface.co": "hugging_face",
    "api.cerebras.ai": "cerebras",
    "api.together.xyz": "together_ai",
    "api.fireworks.ai": "fireworks_ai",
    "api.deepinfra.com": "deepinfra",
    "api.minimax.io": "minimax",
    "api.z.ai": "z_ai",
    "open.bigmodel.cn": "z_ai",
    "aliyuncs.com": "alibaba",
    "ai-gateway.vercel.sh": "vercel",
    "integrate.api.nvidia.com": "nvidia",
}
"""A host, which stands for its subdomains too, and its provider."""


def provider(dialect: Dialect, host: str) -> str:
    """Return the value of `gen_ai.provider.name`: the host's provider, else the dialect's own.

    Any other host, a gateway's for instance, counts as the provider whose format it speaks.
    """
    if dialect.provider != _OPENAI:
        return dialect.provider
    name = host.lower().rstrip(".").replace("-aiplatform.", ".aiplatform.")  # Google's regions
    labels = name.split(".")
    suffixes = (".".join(labels[at:]) for at in range(len(labels)))
    return next((_BY_HOST[suffix] for suffix in suffixes if suffix in _BY_HOST), _OPENAI)
