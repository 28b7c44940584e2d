# The pipeline as it stands in meltano.yml, every package from the lock files with its hash.
# Secrets and settings come from the environment when it runs: see docs/operating.md.
# Dependabot proposes newer digests of the base; by hand:
#     docker buildx imagetools inspect python:3.13-slim --format '{{.Manifest.Digest}}'
FROM python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    UV_NO_CACHE=1 \
    UV_CONSTRAINT=/project/requirements/plugins.txt \
    UV_BUILD_CONSTRAINT=/project/requirements/build.txt \
    MELTANO_SEND_ANONYMOUS_USAGE_STATS=false \
    MELTANO_CLI_DISABLE_VERSION_CHECK=true
WORKDIR /project
COPY requirements/ requirements/
RUN python -m venv /opt/meltano \
 && /opt/meltano/bin/pip install --require-hashes -r requirements/container.txt
COPY common/ common/
COPY tap-hubspot-email-events/ tap-hubspot-email-events/
COPY target-amplitude/ target-amplitude/
COPY transforms/ transforms/
COPY meltano.yml ./
COPY logging.yaml ./
RUN /opt/meltano/bin/meltano install tap-hubspot-email-events target-amplitude mapper-email-events
# The code stays root's: bytecode is made here, and of `.meltano` the user gets what Meltano writes.
RUN /opt/meltano/bin/python -m compileall -q -j 0 . \
 && mkdir -p output .meltano/run .meltano/logs \
 && chown -hR 10001 output .meltano/run .meltano/logs .meltano/meltano.db \
 && chgrp 10001 .meltano && chmod 1770 .meltano

FROM python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
ENV PATH=/opt/meltano/bin:$PATH \
    MELTANO_SEND_ANONYMOUS_USAGE_STATS=false \
    MELTANO_CLI_DISABLE_VERSION_CHECK=true \
    MELTANO_AUTO_INSTALL=false \
    PYTHONUNBUFFERED=1
RUN groupadd --gid 10001 meltano && useradd --create-home --uid 10001 --gid 10001 meltano
COPY --from=build /opt/meltano /opt/meltano
COPY --from=build /project /project
WORKDIR /project
USER 10001
# What Meltano keeps of a run is for its user alone.
ENTRYPOINT ["sh", "-c", "umask 077 && exec meltano \"$@\"", "meltano"]
CMD ["run", "tap-hubspot-email-events", "target-amplitude"]
