# One image, three processes; all of them need the same DAGSTER_HOME and DATAPLAT_HOME.
#   UI           docker run … dataplat dagster-webserver --host 0.0.0.0 --port 3000 --workspace workspace.yaml
#   schedules    docker run … dataplat dagster-daemon run --workspace workspace.yaml
#   code         docker run … dataplat dagster code-server start -m dataplat.definitions --host 0.0.0.0 --port 4000
#   a command    docker run … dataplat dataplat load ods.orders --date 2026-01-09
# With the code in a process of its own, workspace.yaml names it as a grpc_server instead of a module.
# Passwords come as environment variables or mounted files; none is in the image.

FROM maven:3.9-eclipse-temurin-17 AS jars
COPY jars/pom.xml /jars/pom.xml
RUN mvn --quiet --batch-mode --file /jars/pom.xml --activate-profiles drivers \
    dependency:copy-dependencies -DoutputDirectory=/jars/lib

FROM python:3.11-slim-bookworm AS packages
WORKDIR /build
COPY scripts/uv-requirements.txt ./
RUN python -m venv tools && tools/bin/pip install --no-cache-dir --require-hashes -r uv-requirements.txt
COPY pyproject.toml requirements.lock README.md ./
# The lock as a constraint: its versions and hashes, without the development tools that it also pins.
RUN python -m venv --without-pip /opt/dataplat/venv \
    && tools/bin/uv pip install --no-cache --python /opt/dataplat/venv/bin/python \
       -r pyproject.toml --constraint requirements.lock
COPY dataplat dataplat
RUN tools/bin/uv pip install --no-cache --no-deps --python /opt/dataplat/venv/bin/python .

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends openjdk-17-jre-headless libgssapi-krb5-2 tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 dataplat \
    && install -d -o dataplat /var/lib/dataplat /var/lib/dagster
COPY --from=packages /opt/dataplat/venv /opt/dataplat/venv
COPY --from=jars /jars/lib /opt/dataplat/jars/lib
COPY config /opt/dataplat/config
COPY workspace.yaml pyproject.toml /opt/dataplat/
WORKDIR /opt/dataplat
ENV PATH=/opt/dataplat/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DAGSTER_HOME=/var/lib/dagster \
    DATAPLAT_HOME=/var/lib/dataplat
USER dataplat
VOLUME ["/var/lib/dagster", "/var/lib/dataplat"]
EXPOSE 3000 4000
ENTRYPOINT ["tini", "--"]
CMD ["dagster-webserver", "--host", "0.0.0.0", "--port", "3000", "--workspace", "workspace.yaml"]
