package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
)

// sets are values with which the chart must render.
var sets = map[string]map[string]any{
	"as it is": {},
	"with all": {
		"erasure":  map[string]any{"storageClass": "shared"},
		"ingress":  map[string]any{"enabled": true, "className": "nginx", "tlsSecret": "tls", "annotations": map[string]any{"a": "b"}},
		"settings": map[string]any{"TRACKER_DATABASE_POOLER": "transaction"},
		"image":    map[string]any{"tag": "1.2.3", "pullSecrets": []any{map[string]any{"name": "registry"}}},
		"sandbox": map[string]any{
			"nodeSelector": map[string]any{"pool": "judges"},
			"tolerations":  []any{map[string]any{"key": "judges", "operator": "Exists"}},
		},
		"serviceAccount": map[string]any{"annotations": map[string]any{"c": "d"}},
	},
	"without scaling": {
		"roles":   map[string]any{"api": map[string]any{"autoscaling": map[string]any{"enabled": false}}},
		"migrate": map[string]any{"enabled": false},
		"erasure": map[string]any{"existingClaim": "mine"},
	},
}

// refused are values that the chart must not take: what is misspelt changes
// nothing, and nobody notices.
var refused = map[string]map[string]any{
	"a misspelt setting of the chart": {"migrate": map[string]any{"enable": false}},
	"a role that is none":             {"roles": map[string]any{"judge": map[string]any{"replicas": 1}}},
	"replicas in words":               {"roles": map[string]any{"api": map[string]any{"replicas": "two"}}},
	"no secret":                       {"secret": ""},
	"a setting in lower case":         {"settings": map[string]any{"database.pooler": "transaction"}},
}

func chart(deploy string) error {
	var wrong problems
	dir := filepath.Join(deploy, "helm", "goals-tracker")
	for name, values := range refused {
		if _, err := render(dir, values); err == nil {
			wrong.add("it takes %s", name)
		}
	}
	for name, values := range sets {
		objects, err := render(dir, values)
		if err != nil {
			wrong.add("%s: %w", name, err)
			continue
		}
		for _, problem := range judge(objects) {
			wrong.add("%s: %w", name, problem)
		}
		fmt.Printf("       chart %s: %d objects\n", name, len(objects))
	}
	return wrong.err()
}

// render gives the objects as Kubernetes reads them, unknown fields refused.
func render(dir string, values map[string]any) ([]runtime.Object, error) {
	c, err := loader.LoadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("load the chart: %w", err)
	}
	all, err := chartutil.ToRenderValues(c, values, chartutil.ReleaseOptions{Name: "tracker", Namespace: "school", Revision: 1, IsInstall: true}, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, fmt.Errorf("merge values: %w", err)
	}
	files, err := (&engine.Engine{Strict: true}).Render(c, all)
	if err != nil {
		return nil, fmt.Errorf("render: %w", err)
	}
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(file, ".yaml") {
			continue
		}
		for _, document := range strings.Split(files[file], "\n---") {
			if strings.TrimSpace(strings.TrimPrefix(document, "---")) == "" {
				continue
			}
			object, _, err := decoder.Decode([]byte(document), nil, nil)
			if err != nil {
				return nil, fmt.Errorf("%s: %w\n%s", file, err, document)
			}
			objects = append(objects, object)
		}
	}
	return objects, nil
}

// judge says what no manifest of ours may lack.
func judge(objects []runtime.Object) []error {
	var wrong problems
	roles, budgets := map[string]bool{}, 0
	var scaled []string
	for _, object := range objects {
		switch o := object.(type) {
		case *appsv1.Deployment:
			role := o.Labels["app.kubernetes.io/component"]
			roles[role] = true
			pod(&wrong, role, o.Spec.Template.Spec)
			if c := o.Spec.Template.Spec.Containers[0]; c.ReadinessProbe == nil || c.LivenessProbe == nil || c.StartupProbe == nil {
				wrong.add("%s lacks a probe", role)
			}
			if !slices.ContainsFunc(o.Spec.Template.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == "erasure" && v.PersistentVolumeClaim != nil }) {
				wrong.add("%s keeps no ledger of erasures", role)
			}
			for key, value := range o.Spec.Selector.MatchLabels {
				if o.Spec.Template.Labels[key] != value {
					wrong.add("%s selects pods that it does not make", role)
				}
			}
		case *batchv1.Job:
			pod(&wrong, "migrate", o.Spec.Template.Spec)
		case *corev1.ConfigMap, *corev1.Secret:
			wrong.add("secrets are the operator's, and settings no file: %T", o)
		case *policyv1.PodDisruptionBudget:
			budgets++
		case *autoscalingv2.HorizontalPodAutoscaler:
			scaled = append(scaled, o.Spec.ScaleTargetRef.Name)
			if o.Spec.MinReplicas == nil || *o.Spec.MinReplicas > o.Spec.MaxReplicas {
				wrong.add("%s scales from more than to", o.Name)
			}
		}
	}
	for _, role := range []string{"api", "worker", "publisher"} {
		if !roles[role] {
			wrong.add("no Deployment has the role %s", role)
		}
	}
	if budgets != len(roles) {
		wrong.add("%d PodDisruptionBudgets for %d roles", budgets, len(roles))
	}
	if !slices.Contains(scaled, "tracker-worker") {
		wrong.add("workers don't scale: %v", scaled)
	}
	return wrong
}

func pod(wrong *problems, name string, spec corev1.PodSpec) {
	s := spec.SecurityContext
	if s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.SeccompProfile == nil {
		wrong.add("%s may run as root or without a seccomp profile", name)
		return
	}
	worker := name == "worker"
	if local := s.SeccompProfile.Type == corev1.SeccompProfileTypeLocalhost; local != worker {
		wrong.add("%s has the seccomp profile %s", name, s.SeccompProfile.Type)
	}
	if (spec.HostUsers != nil && !*spec.HostUsers) != worker {
		wrong.add("%s: only workers need a user namespace of their own", name)
	}
	if spec.HostNetwork || spec.HostPID || spec.HostIPC {
		wrong.add("%s shares the host's network or processes", name)
	}
	for _, c := range spec.Containers {
		s := c.SecurityContext
		switch {
		case s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem:
			wrong.add("%s may gain privileges or write its image", name)
		case s.Privileged != nil && *s.Privileged, s.Capabilities == nil, len(s.Capabilities.Add) > 0, !slices.Contains(s.Capabilities.Drop, "ALL"):
			wrong.add("%s keeps capabilities", name)
		case (s.ProcMount != nil && *s.ProcMount == corev1.UnmaskedProcMount) != worker:
			wrong.add("%s: only workers need /proc unmasked", name)
		}
		if !slices.ContainsFunc(c.EnvFrom, func(e corev1.EnvFromSource) bool { return e.SecretRef != nil }) {
			wrong.add("%s has no SECRET_KEY and DATABASE_URL from a Secret", name)
		}
		if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
			wrong.add("%s has no bound on memory or asks for no CPU", name)
		}
		for _, e := range c.Env {
			if e.Value == "" && e.ValueFrom == nil {
				wrong.add("%s: %s is empty", name, e.Name)
			}
		}
	}
}
