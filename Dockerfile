# One image for servers, workers and the demo provider; what it does on a machine of its own, deploy/install.sh does here.
# Made by BuildKit (Docker 23 or newer) or Podman: `docker build -t kinora .` It holds no settings and no secret.
FROM python:3.12-slim-bookworm

# A number, so that Kubernetes can tell that it is not root.
RUN groupadd --gid 10001 kinora \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/kinora --shell /usr/sbin/nologin kinora

# Mounted, not copied: what the release does not need would stay in a layer.
RUN --mount=type=bind,target=/source PYTHON=/usr/local/bin/python3 bash /source/deploy/install.sh --code-only

ENV DATA_DIR=/var/lib/kinora PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /opt/kinora/current
# What is on its way; and files and the embedded database, where no other storage and no other database is set.
VOLUME /var/lib/kinora
EXPOSE 8000
STOPSIGNAL SIGTERM

# For servers; a worker has no page, so its container switches this off.
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 \
    CMD ["/opt/kinora/current/.venv/bin/python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\", \"8000\")}/readyz', timeout=5)"]

CMD ["kinora", "web"]
