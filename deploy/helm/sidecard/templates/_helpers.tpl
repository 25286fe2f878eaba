{{/* The name of everything in a release: the release's own, with the chart's added unless it is in there. */}}
{{- define "sidecard.name" -}}
{{- $name := .Release.Name -}}
{{- if not (contains .Chart.Name $name) }}{{ $name = printf "%s-%s" $name .Chart.Name }}{{ end -}}
{{- $name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{/* What a selector looks for; it can never change. Takes (list $ "api"). */}}
{{- define "sidecard.selector" -}}
{{- $root := first . -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ last . }}
{{- end }}

{{/* Labels of what belongs to no single program. */}}
{{- define "sidecard.commonLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Labels of an object. Takes (list $ "api"). */}}
{{- define "sidecard.labels" -}}
{{ include "sidecard.commonLabels" (first .) }}
app.kubernetes.io/component: {{ last . }}
{{- end }}

{{- define "sidecard.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "sidecard.name" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end }}

{{/* Name, image and rights of a container. Takes (list $ "api"). */}}
{{- define "sidecard.container" -}}
{{- $root := first . -}}
name: {{ last . }}
image: "{{ $root.Values.image.repository }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}"
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* What every pod is, whichever program runs in it. */}}
{{- define "sidecard.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Spreads the pods of a program over nodes and zones. Takes (list $ "api"). */}}
{{- define "sidecard.spread" -}}
{{- $selector := include "sidecard.selector" . -}}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- $selector | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}

{{/* The secrets of api and worker, by the setting that reads them. */}}
{{- define "sidecard.secrets" -}}
{{- with .Values.secrets -}}
{{- $secrets := dict "DATABASE_URL" .databaseURL "REDIS_URL" .redisURL "MASTER_KEY" .masterKey -}}
{{- with .smtpURL }}{{ if .existingSecret }}{{ $_ := set $secrets "SMTP_URL" . }}{{ end }}{{ end -}}
{{- with .hubSpotClientSecret }}{{ if .existingSecret }}{{ $_ := set $secrets "HUBSPOT_CLIENT_SECRET" . }}{{ end }}{{ end -}}
{{ toYaml $secrets }}
{{- end -}}
{{- end }}

{{/* The secrets of the migration. */}}
{{- define "sidecard.ownerSecrets" -}}
{{- with .Values.secrets -}}
{{ dict "DATABASE_URL" .databaseURL "DATABASE_OWNER_URL" .databaseOwnerURL | toYaml }}
{{- end -}}
{{- end }}

{{/* Secrets as a volume, one file each. Takes a dict of references by setting. */}}
{{- define "sidecard.secretVolume" -}}
name: secrets
projected:
  defaultMode: 0444
  sources:
    {{- range $setting, $ref := . }}
    - secret:
        name: {{ $ref.existingSecret | quote }}
        items:
          - key: {{ $ref.key | quote }}
            path: {{ $setting }}
    {{- end }}
{{- end }}

{{- define "sidecard.secretMount" -}}
name: secrets
mountPath: /etc/sidecard/secrets
readOnly: true
{{- end }}

{{/* The settings that say where the files of secretVolume are. */}}
{{- define "sidecard.secretEnv" -}}
{{- range $setting, $_ := . }}
- name: {{ $setting }}_FILE
  value: /etc/sidecard/secrets/{{ $setting }}
{{- end }}
{{- end }}

{{/* All settings of api and worker. */}}
{{- define "sidecard.env" -}}
- name: LISTEN_ADDR
  value: ":8080"
- name: PUBLIC_URL
  value: {{ .Values.publicURL | quote }}
{{- include "sidecard.secretEnv" (include "sidecard.secrets" . | fromYaml) }}
{{- range $setting, $value := .Values.settings }}
- name: {{ $setting }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* Health of api and worker, which both serve it on the port named http. */}}
{{- define "sidecard.probes" -}}
ports:
  - name: http
    containerPort: 8080
startupProbe: # up to a minute for the first connection to the database
  httpGet: {path: /livez, port: http}
  periodSeconds: 2
  failureThreshold: 30
livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- end }}
