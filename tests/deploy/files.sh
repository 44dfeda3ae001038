#!/usr/bin/env bash
# Checks the files in deploy, without a cluster of Kubernetes and without Docker: that the chart and kustomize render, that what they render fits
# Kubernetes' types and schemas, that both render the same, that wrong values are refused, and that compose files fit their specification.
# What only a cluster knows is not checked: admission, storage classes, whether a policy of the network does what it says.
# Ends with 77, and says why, where a tool is missing.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/../.."

tools="$(bash tests/deploy/tools.sh 2>&1)" || { echo "Not checked: ${tools##*$'\n'}"; exit 77; }
tools="${tools##*$'\n'}"
work="$(mktemp -d)"
trap 'rm -rf -- "$work"' EXIT
export HELM_CACHE_HOME="$work" HELM_CONFIG_HOME="$work" HELM_DATA_HOME="$work" HOME="$work"

chart=deploy/helm/filetransfer
secrets=database.existingSecret=filetransfer-database,nodeTokens.existingSecret=filetransfer-node-tokens
render() { "$tools/bin/helm" template --set "$secrets" "$@" "$chart"; }
check() { node "$tools/check.mjs" "$@"; }

"$tools/bin/helm" version --template 'helm {{.Version}}' && echo
"$tools/bin/helm" lint --strict --quiet "$chart" --set "$secrets"
render filetransfer --namespace filetransfer >"$work/plain.yaml"
cat >"$work/all-values.yaml" <<'VALUES'
tokens:
  - {name: files-0, sha256: "0000000000000000000000000000000000000000000000000000000000000000", scopes: [node], node: files-0}
  - {name: admin, sha256: "1111111111111111111111111111111111111111111111111111111111111111", scopes: [read, write]}
image: {digest: "sha256:2222222222222222222222222222222222222222222222222222222222222222", pullSecrets: [{name: registry}]}
settings: {FileTransfer__Downloads__Lanes: "8"}
tls: {enabled: true, existingSecret: tls}
serviceMonitor: {enabled: true, labels: {release: prometheus}, tokenSecret: {name: read}}
test: {tokenSecret: {name: write}}
persistence: {storageClass: fast}
service: {type: LoadBalancer, annotations: {a: b}}
podAnnotations: {a: b}
podLabels: {c: d}
nodeSelector: {disk: fast}
tolerations: [{key: storage, operator: Exists}]
affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: rack}}]}}
priorityClassName: high
networkPolicy: {egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}
VALUES
render files --namespace storage --values "$work/all-values.yaml" >"$work/all.yaml"
render one --set replicas=1,podDisruptionBudget.enabled=false,networkPolicy.enabled=false,preStopSeconds=0 >"$work/one.yaml"
for overlay in base tls; do "$tools/bin/kubectl" kustomize "deploy/kustomize/$overlay" >"$work/$overlay.yaml"; done

check manifests "$work"/{plain,all,one,base,tls}.yaml
check same "$work/base.yaml" "$work/plain.yaml"
for wrong in replicas=0 tls.enabled=true image.digest=sha256:1 tokens[0].name=x persistence.size=much nothing=1 database.existingSecret=; do
  ! render wrong --set "$wrong" >/dev/null 2>&1 || { echo "The chart takes $wrong."; exit 1; }
done
sed 's/enableServiceLinks/enableServiceLink/' "$work/plain.yaml" >"$work/wrong.yaml"
! check manifests "$work/wrong.yaml" >/dev/null || { echo "A field that does not exist is not found."; exit 1; }

check compose docker-compose.yml deploy/compose-tls.yml
if command -v promtool >/dev/null; then
  for file in prometheus prometheus-tls; do promtool check config --syntax-only "deploy/prometheus/$file.yml" >/dev/null; done
else
  echo "Not checked: Prometheus' own files, for promtool is not on this machine."
fi

if command -v systemd-analyze >/dev/null; then
  mkdir -p "$work/units/filetransfer.service.d"
  # Only the program is not where the unit has it.
  sed "s|^ExecStart=[^ ]*|ExecStart=$(command -v true)|; s|^WorkingDirectory=.*|WorkingDirectory=/|" deploy/systemd/filetransfer.service >"$work/units/filetransfer.service"
  cp deploy/systemd/credentials.conf "$work/units/filetransfer.service.d/"
  verify() { SYSTEMD_UNIT_PATH="$work/units:" systemd-analyze verify --man=no filetransfer.service 2>&1; }
  said="$(verify)" && [ -z "$said" ] || { echo "systemd: $said"; exit 1; }
  exposure="$(SYSTEMD_UNIT_PATH="$work/units:" systemd-analyze security --offline=true filetransfer.service | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')"
  awk -v exposure="$exposure" 'BEGIN { exit exposure == "" || exposure > 2 }' || { echo "systemd says the unit's exposure is $exposure of 10, not 2 at most."; exit 1; }
  echo "MemoryMaximum=1G" >>"$work/units/filetransfer.service.d/credentials.conf"
  verify | grep -q MemoryMaximum || { echo "A setting that systemd does not know is not found."; exit 1; }
else
  echo "Not checked: the unit, for systemd-analyze is not on this machine."
fi
