# syntax=docker/dockerfile:1
# The bot as one static binary in an empty image: no shell, no package manager,
# not root. A test in cmd/bot builds and runs the same binary the same way.
#
#   docker build --build-arg VERSION=v1.2.3 -t tandem .
#   docker run --rm -v "$PWD/tandem.yaml:/tandem.yaml:ro" tandem diagnose worker

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=
ARG TARGETOS
ARG TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /bot ./cmd/bot

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /bot /bot
USER 65534:65534
ENTRYPOINT ["/bot"]
CMD ["run"]
