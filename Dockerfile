# syntax=docker/dockerfile:1

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source

# Packages change seldom: they are a layer of their own.
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY src/FileTransfer/FileTransfer.csproj src/FileTransfer/packages*.lock.json src/FileTransfer/
# Compiled beforehand where there is a lock file for it; elsewhere the program is compiled while it runs.
ARG TARGETARCH
RUN if [ "$TARGETARCH" = amd64 ]; then echo "-p:RuntimeIdentifier=linux-x64" > /kind; else : > /kind; fi \
    && dotnet restore src/FileTransfer/FileTransfer.csproj --locked-mode $(cat /kind)

COPY .editorconfig appsettings.json ./
COPY src/FileTransfer/ src/FileTransfer/
RUN dotnet publish src/FileTransfer/FileTransfer.csproj --configuration Release --no-restore $(cat /kind) --output /published \
    && mkdir /empty

FROM mcr.microsoft.com/dotnet/aspnet:10.0

# The program belongs to root and is only read; the data folder belongs to the user that runs it.
WORKDIR /opt/filetransfer
COPY --from=build /published ./
COPY --from=build --chown=$APP_UID:$APP_UID /empty /data

# Reachable from outside the container, so the service starts only with tokens (FileTransfer__Tokens__0__…) or
# with FileTransfer__AllowAnonymous=true. The database comes from ConnectionStrings__Postgres.
ENV PATH=/opt/filetransfer:$PATH \
    FileTransfer__DataDirectory=/data \
    Urls=http://+:7070 \
    ASPNETCORE_HTTP_PORTS=

# The health check asks http://127.0.0.1:7070; with other Urls, FILETRANSFER_URL tells it where.
USER $APP_UID
VOLUME ["/data"]
EXPOSE 7070
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/opt/filetransfer/filetransfer", "healthcheck"]
ENTRYPOINT ["/opt/filetransfer/filetransfer"]
CMD ["serve"]

ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="FileTransfer" \
      org.opencontainers.image.description="Keeps the files of a storage network's nodes the same: every byte proven against the file's own name" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
