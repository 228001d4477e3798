# The team's proxy (`traceproof proxy`) and its workers (`traceproof worker`); compose.yaml runs them.
# BASE is Debian 12 or later, or an image made from it: its python3 must be 3.11 to 3.13.
ARG BASE=debian:12-slim

FROM ${BASE} AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/traceproof
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_NO_DEPS=1 PIP_USE_PEP517=1
COPY requirements /src/requirements
RUN /opt/traceproof/bin/pip install --require-hashes --no-build-isolation -r /src/requirements/build.txt \
    && /opt/traceproof/bin/pip install --require-hashes --no-build-isolation -r /src/requirements/runtime.txt
COPY pyproject.toml README.md LICENSE /src/
COPY recorder /src/recorder
COPY proxy /src/proxy
COPY replay /src/replay
COPY sandbox /src/sandbox
COPY traceproof /src/traceproof
RUN /opt/traceproof/bin/pip install --no-build-isolation /src

FROM ${BASE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /store --no-create-home traceproof \
    && install --directory --owner=10001 --mode=0700 /store /cache
# A base of `traceproof sandbox base` has traceproof=1, and with it `sandbox prune` would remove the containers.
LABEL traceproof=deployed
COPY --from=build /opt/traceproof /opt/traceproof
ENV PATH=/opt/traceproof/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1 TRACEPROOF_STORE=/store
USER 10001
WORKDIR /store
VOLUME /store
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD \
    ["python3", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8080, timeout=4); c.request('GET', '/healthz'); exit(c.getresponse().status != 200)"]
ENTRYPOINT ["traceproof", "proxy"]
CMD ["--listen", "0.0.0.0:8080"]
