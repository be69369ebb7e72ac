# One image for web, worker, beat and the commands; docker-compose.yml says what each runs.

FROM node:22-slim AS design
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts

FROM python:3.11-slim AS packages
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev libpq-dev \
    && rm -rf /var/lib/apt/lists/*
COPY requirements/production.txt .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r production.txt

FROM python:3.11-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpq5 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin portal \
    && install --directory --owner portal --group portal /var/lib/connector-pay/bank
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=connector_pay.settings \
    STATIC_ROOT=/app/static_collected
COPY --from=packages /venv /venv
COPY . .
COPY --from=design /build/node_modules/@uswds/uswds/dist node_modules/@uswds/uswds/dist
RUN python -m connector_pay.design_system \
    && python -m django collectstatic --noinput --verbosity 0 \
    && rm -rf node_modules
USER portal
EXPOSE 8000
CMD ["gunicorn", "connector_pay.wsgi"]
