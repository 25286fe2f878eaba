package deploy

import (
	"maps"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// kinds are the objects of a manifest as kind/name, in order.
func kinds(t *testing.T, m manifest) []string {
	t.Helper()
	var all []string
	for _, o := range m.objects {
		named, err := meta.Accessor(o)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o.GetObjectKind().GroupVersionKind().Kind+"/"+named.GetName())
	}
	slices.Sort(all)
	return all
}

func TestChartInstallsWhatItsValuesAskFor(t *testing.T) {
	t.Parallel()
	base := []string{"Deployment/sidecard-api", "Deployment/sidecard-worker", "Service/sidecard-api"}
	standard := append([]string{
		"Job/sidecard-migrate", "PodDisruptionBudget/sidecard-api", "PodDisruptionBudget/sidecard-worker",
	}, base...)
	for name, want := range map[string][]string{
		"bare":    base,
		"minimal": append([]string{"ServiceAccount/sidecard"}, standard...),
		"full": append([]string{
			"HorizontalPodAutoscaler/sidecard-api", "HorizontalPodAutoscaler/sidecard-worker", "Ingress/sidecard-api",
			"ServiceAccount/runner",
		}, standard...),
	} {
		slices.Sort(want)
		if got := kinds(t, rendered(t, set(t, name))); !slices.Equal(got, want) {
			t.Errorf("%s installs %v\nwant %v", name, got, want)
		}
	}
}

func TestNamesTellReleasesApart(t *testing.T) {
	t.Parallel()
	c := load(t)
	for name, want := range map[string]string{
		"sidecard": "sidecard-api", "my-sidecard": "my-sidecard-api", "desk": "desk-sidecard-api",
		strings.Repeat("x", 53): strings.Repeat("x", 50) + "-api",
	} {
		text, err := renderAs(c, name, set(t, "minimal"))
		if err != nil {
			t.Fatal(err)
		}
		objects, err := decodeAll(text["sidecard/templates/api-service.yaml"])
		if err != nil {
			t.Fatal(err)
		}
		if got := objects[0].(*corev1.Service); got.Name != want || got.Spec.Selector["app.kubernetes.io/instance"] != name {
			t.Errorf("release %s has the service %s for %v, want %s", name, got.Name, got.Spec.Selector, want)
		}
	}
}

func TestObjectsAreLabelledAndOfTheRelease(t *testing.T) {
	t.Parallel()
	for name, values := range valueSets(t) {
		for _, o := range rendered(t, values).objects {
			named, err := meta.Accessor(o)
			if err != nil {
				t.Fatal(err)
			}
			for label, want := range map[string]string{
				"app.kubernetes.io/name": "sidecard", "app.kubernetes.io/instance": release,
				"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/version": load(t).AppVersion(),
			} {
				if got := named.GetLabels()[label]; got != want {
					t.Errorf("%s: %s has %s=%q, want %q", name, named.GetName(), label, got, want)
				}
			}
			if named.GetNamespace() != "" {
				t.Errorf("%s: %s fixes its namespace", name, named.GetName())
			}
		}
	}
}

func TestSelectorsFindTheirPodsAndNoOthers(t *testing.T) {
	t.Parallel()
	for name, values := range valueSets(t) {
		m := rendered(t, values)
		selectors := map[string]map[string]string{} // by kind and name, which is that of the deployment
		for n, d := range of[*appsv1.Deployment](m) {
			selectors["Deployment "+n] = d.Spec.Selector.MatchLabels
		}
		for n, s := range of[*corev1.Service](m) {
			selectors["Service "+n] = s.Spec.Selector
		}
		for n, b := range of[*policyv1.PodDisruptionBudget](m) {
			selectors["PodDisruptionBudget "+n] = b.Spec.Selector.MatchLabels
		}
		for owner, selector := range selectors {
			for pod, template := range pods(m) {
				if got, want := selects(selector, template.Labels), strings.HasSuffix(owner, " "+pod); got != want {
					t.Errorf("%s: %s finds %s: %t, want %t", name, owner, pod, got, want)
				}
			}
		}
	}
}

func TestMigrationRunsBeforeTheReleaseAndNeedsNothingOfIt(t *testing.T) {
	t.Parallel()
	m := rendered(t, set(t, "minimal"))
	job := of[*batchv1.Job](m)["sidecard-migrate"]
	if got := job.Annotations["helm.sh/hook"]; got != "pre-install,pre-upgrade" {
		t.Errorf("its hook is %q", got)
	}
	if got := job.Annotations["helm.sh/hook-delete-policy"]; !strings.Contains(got, "before-hook-creation") {
		t.Errorf("the policy %q keeps the old job, which stands in the way of the next", got)
	}
	if got := job.Spec.Template.Spec.ServiceAccountName; got != "" {
		t.Errorf("it runs as %q, which does not exist before the first install", got)
	}
	if job.Spec.BackoffLimit == nil || job.Spec.ActiveDeadlineSeconds == nil {
		t.Error("it may fail for ever")
	}
	for name, d := range of[*appsv1.Deployment](m) {
		if got := d.Spec.Template.Spec.ServiceAccountName; got != "sidecard" {
			t.Errorf("%s runs as %q, want the chart's own", name, got)
		}
	}
}

func TestAutoscalersOwnTheReplicas(t *testing.T) {
	t.Parallel()
	full, minimal := rendered(t, set(t, "full")), rendered(t, set(t, "minimal"))
	scalers := of[*autoscalingv2.HorizontalPodAutoscaler](full)
	for name, d := range of[*appsv1.Deployment](full) {
		if d.Spec.Replicas != nil {
			t.Errorf("%s has %d replicas beside its autoscaler", name, *d.Spec.Replicas)
		}
		s := scalers[name]
		if r := s.Spec.ScaleTargetRef; r.Kind != "Deployment" || r.Name != name || r.APIVersion != "apps/v1" {
			t.Errorf("%s scales %+v", name, r)
		}
		if *s.Spec.MinReplicas > s.Spec.MaxReplicas || s.Spec.Metrics[0].Resource.Name != corev1.ResourceCPU {
			t.Errorf("%s scales from %d to %d by %s", name, *s.Spec.MinReplicas, s.Spec.MaxReplicas, s.Spec.Metrics[0].Resource.Name)
		}
	}
	if got := *scalers["sidecard-api"].Spec.Metrics[0].Resource.Target.AverageUtilization; got != 60 {
		t.Errorf("the api scales at %d %%, want 60", got)
	}
	for name, d := range of[*appsv1.Deployment](minimal) {
		if d.Spec.Replicas == nil || *d.Spec.Replicas != 2 {
			t.Errorf("%s has %v replicas, want 2", name, d.Spec.Replicas)
		}
	}
}

func TestIngressLeadsToTheAPI(t *testing.T) {
	t.Parallel()
	m := rendered(t, set(t, "full"))
	ingress, service := of[*networkingv1.Ingress](m)["sidecard-api"], of[*corev1.Service](m)["sidecard-api"]
	rule := ingress.Spec.Rules[0]
	if rule.Host != "sidecard.example.com" || *ingress.Spec.IngressClassName != "nginx" {
		t.Errorf("it serves %q as %q", rule.Host, *ingress.Spec.IngressClassName)
	}
	if tls := ingress.Spec.TLS[0]; tls.SecretName != "sidecard-tls" || !slices.Equal(tls.Hosts, []string{rule.Host}) {
		t.Errorf("its certificate is %+v", tls)
	}
	path := rule.HTTP.Paths[0]
	port := service.Spec.Ports[0]
	if s := path.Backend.Service; path.Path != "/" || s.Name != service.Name || s.Port.Name != port.Name {
		t.Errorf("it leads %s to %+v", path.Path, s)
	}
	if port.TargetPort != intstr.FromString("http") || port.Port != 8000 || service.Spec.Type != corev1.ServiceTypeLoadBalancer {
		t.Errorf("the service of type %s has %+v", service.Spec.Type, port)
	}
}

func TestListsOfValuesReachEveryPod(t *testing.T) {
	t.Parallel()
	m := rendered(t, set(t, "full"))
	for name, pod := range pods(m) {
		s := pod.Spec
		hasCA := func(v corev1.Volume) bool { return v.Name == "database-ca" && v.ConfigMap != nil }
		mountsCA := func(v corev1.VolumeMount) bool { return v.Name == "database-ca" && v.MountPath == "/etc/sidecard/ca" }
		for list, reached := range map[string]bool{
			"imagePullSecrets":  len(s.ImagePullSecrets) == 1 && s.ImagePullSecrets[0].Name == "registry",
			"nodeSelector":      s.NodeSelector["kubernetes.io/arch"] == "amd64",
			"tolerations":       len(s.Tolerations) == 1 && s.Tolerations[0].Key == "dedicated",
			"affinity":          s.Affinity != nil && s.Affinity.NodeAffinity != nil,
			"podAnnotations":    pod.Annotations["example.com/log"] == "json",
			"extraVolumes":      slices.ContainsFunc(s.Volumes, hasCA),
			"extraVolumeMounts": slices.ContainsFunc(s.Containers[0].VolumeMounts, mountsCA),
			"image":             s.Containers[0].Image == "registry.example.com:5000/team/sidecard:0.1.0-rc.1",
			"pullPolicy":        s.Containers[0].ImagePullPolicy == corev1.PullAlways,
		} {
			if !reached {
				t.Errorf("%s did not reach %s", list, name)
			}
		}
	}
	account := of[*corev1.ServiceAccount](m)["runner"]
	if account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken || account.Annotations["example.com/team"] != "support" {
		t.Errorf("the account is %+v", account)
	}
	for name, d := range of[*appsv1.Deployment](m) {
		if got := d.Spec.Template.Spec.ServiceAccountName; got != "runner" {
			t.Errorf("%s runs as %q, want runner", name, got)
		}
	}
	for name, b := range of[*policyv1.PodDisruptionBudget](m) {
		if got := b.Spec.MaxUnavailable; got == nil || *got != intstr.FromString("25%") {
			t.Errorf("of %s may %v be away, want 25%%", name, got)
		}
	}
}

func TestSettingsReachTheProgramsAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	for name, pod := range pods(rendered(t, set(t, "full"))) {
		got := env(pod.Spec.Containers[0])
		maps.DeleteFunc(got, func(setting, _ string) bool { return strings.HasSuffix(setting, "_FILE") })
		want := map[string]string{
			"LISTEN_ADDR": ":8080", "PUBLIC_URL": "https://sidecard.example.com/",
			"LIVESUPPORTI_API_URL": "https://desk.example.com/api", "EGRESS_ALLOW_CIDRS": "10.20.0.0/16,10.30.0.0/16",
			"EGRESS_DENY_CIDRS": "10.20.1.0/24", "TRUSTED_PROXIES": "10.0.0.0/8", "CHAT_DEADLINE": "5m", "MAIL_FROM": "Sidecard <no-reply@example.com>", "HUBSPOT_CLIENT_ID": "6b1f0c9e", "LOOKUP_DEADLINE": "2s", "MAX_UPLOAD_MIB": "10240",
			"DATABASE_CONNECTIONS": "24", "LOG_LEVEL": "DEBUG",
		}
		if name == "sidecard-migrate" {
			want = map[string]string{}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s has the settings %v\nwant %v", name, got, want)
		}
	}
}
