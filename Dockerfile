# loadgate and what makes runtimes, and nothing of TensorFlow: runtimes are data, in the cache.
#
#   docker build --tag loadgate .
#   docker run --rm --volume "$PWD":/repository --volume loadgate:/cache --user "$(id -u)" loadgate check
#
# The base can be named by its digest: --build-arg BASE=debian:bookworm-slim@sha256:…, as a release does.
ARG BASE=debian:bookworm-slim

# --- the system: Debian with a whole Python, which runs loadgate and is one of those that runtimes are made from ----
FROM ${BASE} AS system
# distutils and lib2to3 belong to Python's own library; Debian keeps them apart
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    python3 python3-distutils python3-lib2to3 ca-certificates libpcre2-8-0 zlib1g
# git without Perl and the hundred megabytes around it: what lists the files of a repository is in the program itself
RUN cd /tmp \
  && apt-get download git \
  && dpkg-deb --fsys-tarfile git_*.deb | tar --extract --file - --directory / ./usr/bin/git \
  && rm git_*.deb \
  && git --version

# --- loadgate, in an environment that nothing changes afterwards -----------------------------------------------------
FROM system AS installed
COPY container/requirements.txt container/build.txt /build/
# whole packages with known hashes, and none that is built here
RUN DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3-venv \
  && python3 -m venv /build/tools \
  && /build/tools/bin/pip install --quiet --no-cache-dir --require-hashes --only-binary :all: -r /build/build.txt \
  && /build/tools/bin/uv venv --quiet --python /usr/bin/python3 /opt/loadgate \
  && /build/tools/bin/uv pip install --quiet --no-cache --python /opt/loadgate/bin/python --require-hashes \
    --only-binary :all: -r /build/requirements.txt
COPY pyproject.toml README.md LICENSE /build/loadgate/
COPY src /build/loadgate/src
# bytecode that names the hash of its source and not its date: two builds of the same are the same
RUN /build/tools/bin/uv build --quiet --wheel --no-build-isolation --python /build/tools/bin/python \
    --out-dir /build/dist /build/loadgate \
  && /build/tools/bin/uv pip install --quiet --no-cache --python /opt/loadgate/bin/python --no-deps /build/dist/*.whl \
  && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/loadgate/lib

# --- what is kept of the two ------------------------------------------------------------------------------------------
FROM system AS kept
COPY --from=installed /opt/loadgate /opt/loadgate
RUN rm -rf /var/lib/apt/lists /var/cache/apt /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache \
    /var/log/* /usr/share/doc /usr/share/info /usr/share/locale /usr/share/man \
  && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
  && echo 'loadgate:x:65532:65532:loadgate:/tmp:/usr/sbin/nologin' >>/etc/passwd \
  && echo 'loadgate:x:65532:' >>/etc/group \
  && install --directory --mode 1777 /cache \
  && install --directory /repository /loadgate

# --- one layer, without what was removed from it ---------------------------------------------------------------------
FROM scratch
COPY --from=kept / /
ENV PATH=/opt/loadgate/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  LANG=C.UTF-8 \
  HOME=/tmp \
  PYTHONDONTWRITEBYTECODE=1 \
  SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
  LOADGATE_CACHE=/cache \
  # beside the runtimes: what is linked from one to the other takes no room and no time
  UV_CACHE_DIR=/cache/uv \
  # an environment is nothing without its Python
  UV_PYTHON_INSTALL_DIR=/cache/pythons \
  # what NVIDIA's container runtime gives to a container that is started with --gpus
  NVIDIA_VISIBLE_DEVICES=all \
  NVIDIA_DRIVER_CAPABILITIES=compute,utility
LABEL org.opencontainers.image.title=loadgate \
  org.opencontainers.image.description="Gates merges on whether TensorFlow and Keras models load where they will run" \
  org.opencontainers.image.licenses=Apache-2.0
WORKDIR /repository
USER 65532:65532
ENTRYPOINT ["loadgate"]
CMD ["check"]
