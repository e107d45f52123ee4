{{- define "tracker.name" -}}
{{- printf "%s" .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "tracker.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "tracker.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{- /* What every container of the tracker's has: settings and the shared keys. */ -}}
{{- define "tracker.env" -}}
- name: TRACKER_DATA_DIR
  value: /var/lib/tracker
- name: TRACKER_SERVER_ADDRESS
  value: 0.0.0.0:8000
- name: TRACKER_SERVER_DRAIN_DELAY
  value: {{ printf "%ds" (int .Values.drainDelaySeconds) }}
- name: TRACKER_RAG_KEY_FILE
  value: /etc/tracker-keys/rag.key
- name: TRACKER_EVENTS_ERASURE_DIR
  value: /var/lib/tracker-erasure
- name: TRACKER_VALIDATION_KEY_FILE
  value: /etc/tracker-keys/validation.key
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "tracker.erasureClaim" -}}
{{- .Values.erasure.existingClaim | default (printf "%s-erasure" (include "tracker.name" .)) -}}
{{- end -}}

{{- define "tracker.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
