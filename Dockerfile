# pesearch with its page on port 8501. Media is mounted on /media, the library and the models are kept in /data.
#
#   docker build -t pesearch .                                    # for CPUs
#   docker build -t pesearch:cuda --build-arg PROFILE=cuda .      # for NVIDIA GPUs
#   docker run -p 127.0.0.1:8501:8501 -e PESEARCH_TOKEN=... -v ~/videos:/media:ro -v pesearch:/data pesearch
#
# compose.yaml does the same, and says how to index.
FROM python:3.12-slim-bookworm

RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg && rm -rf /var/lib/apt/lists/*

ARG PROFILE=cpu
COPY . /src
RUN PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1 sh /src/container/install.sh /src /opt/pesearch "$PROFILE" \
    && cp /src/container/healthcheck.py /opt/pesearch/ && rm -rf /src

RUN useradd --uid 1000 --create-home pesearch && install -d -m 700 -o pesearch -g pesearch /data
USER pesearch
ENV PATH=/opt/pesearch/bin:$PATH PESEARCH_LIBRARY=/data/library HF_HOME=/data/models PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=6s --start-period=60s CMD ["python", "/opt/pesearch/healthcheck.py"]
CMD ["pesearch", "app", "--no-browser", "--listen", "0.0.0.0"]
