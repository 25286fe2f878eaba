# One image with /api, /worker and /sidecard, which migrates and makes keys:
#   docker build -t registry.example.com/sidecard:0.1.0 .

FROM --platform=$BUILDPLATFORM node:24-slim AS portal
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci
COPY web ./
RUN npm run build

FROM --platform=$BUILDPLATFORM golang:1.26 AS programs
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=portal /src/web/dist web/dist
ARG TARGETOS TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags=-s -o /programs/ ./cmd/api ./cmd/worker ./cmd/sidecard

FROM gcr.io/distroless/static-debian13:nonroot
COPY --from=programs /programs/ /
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/sidecard"]
