# The web page: docker build -t vlfau . && docker run --rm -p 127.0.0.1:7860:7860 vlfau
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1
RUN useradd --create-home --uid 10001 vlfau
WORKDIR /src
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src ./src
RUN pip install --no-cache-dir '.[app]' && rm -rf /src/*

USER vlfau
WORKDIR /home/vlfau
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", \
  "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/gradio_api/app_id', timeout=4)"]
ENTRYPOINT ["vlfau"]
CMD ["app", "--host", "0.0.0.0"]
