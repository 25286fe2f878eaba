package deploy

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// drainSeconds is how long a program may take to end after SIGTERM.
const drainSeconds = 25

// pods are the pod templates of a manifest by the name of their owner.
func pods(m manifest) map[string]corev1.PodTemplateSpec {
	all := map[string]corev1.PodTemplateSpec{}
	for name, d := range of[*appsv1.Deployment](m) {
		all[name] = d.Spec.Template
	}
	for name, j := range of[*batchv1.Job](m) {
		all[name] = j.Spec.Template
	}
	return all
}

// eachPod runs a test for every pod of every set of values.
func eachPod(t *testing.T, test func(t *testing.T, name string, pod corev1.PodTemplateSpec)) {
	t.Parallel()
	for set, values := range valueSets(t) {
		all := pods(rendered(t, values))
		for _, program := range []string{"sidecard-api", "sidecard-worker"} {
			if _, ok := all[program]; !ok {
				t.Errorf("%s: there is no %s", set, program)
			}
		}
		for name, pod := range all {
			t.Run(set+"/"+name, func(t *testing.T) {
				if n := len(pod.Spec.Containers) + len(pod.Spec.InitContainers); n != 1 {
					t.Fatalf("%d containers, want 1", n)
				}
				test(t, name, pod)
			})
		}
	}
}

func TestPodsHaveNoMoreRightsThanTheyNeed(t *testing.T) {
	eachPod(t, func(t *testing.T, _ string, pod corev1.PodTemplateSpec) {
		isFalse := func(b *bool) bool { return b != nil && !*b }
		isTrue := func(b *bool) bool { return b != nil && *b }
		p, c := pod.Spec.SecurityContext, pod.Spec.Containers[0].SecurityContext
		if p == nil || c == nil || c.Capabilities == nil || p.SeccompProfile == nil {
			t.Fatalf("a security context is missing: %+v, %+v", p, c)
		}
		for rule, held := range map[string]bool{
			"no token":                     isFalse(pod.Spec.AutomountServiceAccountToken),
			"not root":                     isTrue(p.RunAsNonRoot),
			"seccomp":                      p.SeccompProfile.Type == corev1.SeccompProfileTypeRuntimeDefault,
			"no privilege escalation":      isFalse(c.AllowPrivilegeEscalation),
			"not privileged":               c.Privileged == nil,
			"read-only root":               isTrue(c.ReadOnlyRootFilesystem),
			"no capabilities":              slices.Equal(c.Capabilities.Drop, []corev1.Capability{"ALL"}) && len(c.Capabilities.Add) == 0,
			"nothing of the host":          !pod.Spec.HostNetwork && !pod.Spec.HostPID && !pod.Spec.HostIPC,
			"no settings of other objects": isFalse(pod.Spec.EnableServiceLinks),
		} {
			if !held {
				t.Errorf("%s does not hold: pod %+v, container %+v", rule, p, c)
			}
		}
	})
}

func TestImagesArePinnedByTag(t *testing.T) {
	pinned := regexp.MustCompile(`^[^\s:]+(:\d+/[^\s:]+)?:([\w.-]+)$`)
	eachPod(t, func(t *testing.T, _ string, pod corev1.PodTemplateSpec) {
		image := pod.Spec.Containers[0].Image
		if part := pinned.FindStringSubmatch(image); part == nil || part[2] == "latest" {
			t.Errorf("the image is %q, want one with a version", image)
		}
	})
}

func TestContainersAskForResources(t *testing.T) {
	eachPod(t, func(t *testing.T, _ string, pod corev1.PodTemplateSpec) {
		r := pod.Spec.Containers[0].Resources
		if r.Requests.Cpu().IsZero() || r.Requests.Memory().IsZero() || r.Limits.Memory().IsZero() {
			t.Errorf("resources are %+v, want requests of both and a limit of memory", r)
		}
		if r.Limits.Memory().Cmp(*r.Requests.Memory()) < 0 {
			t.Error("the limit of memory is below the request")
		}
	})
}

func TestProgramsAreProbedAndMayDrain(t *testing.T) {
	eachPod(t, func(t *testing.T, name string, pod corev1.PodTemplateSpec) {
		c := pod.Spec.Containers[0]
		if name == "sidecard-migrate" {
			if !slices.Equal(c.Command, []string{"/sidecard", "migrate"}) || pod.Spec.RestartPolicy != corev1.RestartPolicyNever {
				t.Errorf("it runs %q with restarts %s", c.Command, pod.Spec.RestartPolicy)
			}
			return
		}
		if want := strings.TrimPrefix(name, "sidecard-"); !slices.Equal(c.Command, []string{"/" + want}) {
			t.Errorf("it runs %q, want /%s", c.Command, want)
		}
		if len(c.Ports) != 1 || c.Ports[0].Name != "http" || c.Ports[0].ContainerPort != 8080 || env(c)["LISTEN_ADDR"] != ":8080" {
			t.Errorf("it listens on %q, its ports are %+v", env(c)["LISTEN_ADDR"], c.Ports)
		}
		for path, probe := range map[string]*corev1.Probe{"/livez": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
			if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != path || probe.HTTPGet.Port != intstr.FromString("http") {
				t.Errorf("nothing probes %s: %+v", path, probe)
			}
		}
		if p := c.StartupProbe; p == nil || p.HTTPGet == nil || p.HTTPGet.Path != "/livez" {
			t.Errorf("nothing waits for its start: %+v", p)
		}
		var before int64
		if c.Lifecycle != nil && c.Lifecycle.PreStop != nil {
			before = c.Lifecycle.PreStop.Sleep.Seconds
		}
		if grace := *pod.Spec.TerminationGracePeriodSeconds; grace <= before+drainSeconds {
			t.Errorf("it is killed after %d s: its drain takes %d s and begins after %d s", grace, drainSeconds, before)
		}
		if name == "sidecard-api" && before == 0 {
			t.Error("it stops listening while proxies still send to it")
		}
	})
}

func TestImageHoldsWhatPodsRun(t *testing.T) {
	dockerfile := read(t, "../Dockerfile")
	eachPod(t, func(t *testing.T, _ string, pod corev1.PodTemplateSpec) {
		if program := pod.Spec.Containers[0].Command[0]; !strings.Contains(dockerfile, " ./cmd"+program) {
			t.Errorf("the Dockerfile builds no %s", program)
		}
	})
}

func TestPodsSpreadOverNodesAndZones(t *testing.T) {
	eachPod(t, func(t *testing.T, name string, pod corev1.PodTemplateSpec) {
		if name == "sidecard-migrate" {
			return
		}
		var over []string
		for _, c := range pod.Spec.TopologySpreadConstraints {
			over = append(over, c.TopologyKey)
			if !selects(c.LabelSelector.MatchLabels, pod.Labels) {
				t.Errorf("spread over %s looks for %v, the pod is %v", c.TopologyKey, c.LabelSelector.MatchLabels, pod.Labels)
			}
		}
		if want := []string{"kubernetes.io/hostname", "topology.kubernetes.io/zone"}; !slices.Equal(over, want) {
			t.Errorf("pods spread over %v, want %v", over, want)
		}
	})
}

// secretFiles says which secrets a pod may hold, by the setting that names the file, with the values of that name.
func secretFiles(values, name string) []string {
	if name == "sidecard-migrate" {
		return []string{"DATABASE_OWNER_URL", "DATABASE_URL"}
	}
	if strings.Contains(values, "full") {
		return []string{"DATABASE_URL", "HUBSPOT_CLIENT_SECRET", "MASTER_KEY", "REDIS_URL", "SMTP_URL"}
	}
	return []string{"DATABASE_URL", "MASTER_KEY", "REDIS_URL"}
}

func TestPodsHoldTheirOwnSecretsAlone(t *testing.T) {
	eachPod(t, func(t *testing.T, name string, pod corev1.PodTemplateSpec) {
		c := pod.Spec.Containers[0]
		mounted := map[string]string{} // file to setting
		for _, v := range pod.Spec.Volumes {
			if v.Secret != nil {
				t.Errorf("volume %s mounts a whole secret", v.Name)
			}
			if v.Projected == nil {
				continue
			}
			if mode := v.Projected.DefaultMode; mode == nil || *mode != 0o444 {
				t.Errorf("volume %s has mode %v, want 0444", v.Name, mode)
			}
			for _, source := range v.Projected.Sources {
				if source.Secret == nil || source.Secret.Name == "" || len(source.Secret.Items) != 1 {
					t.Fatalf("volume %s has the source %+v, want one key of a secret", v.Name, source)
				}
				for _, m := range c.VolumeMounts {
					if m.Name == v.Name && m.ReadOnly {
						mounted[m.MountPath+"/"+source.Secret.Items[0].Path] = source.Secret.Items[0].Path
					}
				}
			}
		}
		if got := slices.Sorted(maps.Values(mounted)); !slices.Equal(got, secretFiles(t.Name(), name)) {
			t.Errorf("it holds %v, want %v", got, secretFiles(t.Name(), name))
		}
		for setting, value := range env(c) {
			if file, ok := strings.CutSuffix(setting, "_FILE"); ok && mounted[value] != file {
				t.Errorf("%s is %s, where there is no such secret: %v", setting, value, mounted)
			}
		}
		for _, secret := range secretFiles(t.Name(), name) {
			if env(c)[secret+"_FILE"] == "" {
				t.Errorf("%s_FILE is not set", secret)
			}
		}
	})
}

func TestSecretsKeepTheNamesThatWereGiven(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for name, pod := range pods(rendered(t, set(t, "full"))) {
		for _, v := range pod.Spec.Volumes {
			if v.Projected == nil {
				continue
			}
			for _, s := range v.Projected.Sources {
				item := s.Secret.Items[0]
				got[name+" "+item.Path] = s.Secret.Name + "/" + item.Key
			}
		}
	}
	want := map[string]string{
		"sidecard-migrate DATABASE_URL":       "postgres-app/url",
		"sidecard-migrate DATABASE_OWNER_URL": "postgres-owner/url",
	}
	for _, program := range []string{"sidecard-api ", "sidecard-worker "} {
		want[program+"DATABASE_URL"] = "postgres-app/url"
		want[program+"REDIS_URL"] = "redis/url"
		want[program+"MASTER_KEY"] = "sidecard-key/current"
		want[program+"SMTP_URL"] = "smtp/url"
		want[program+"HUBSPOT_CLIENT_SECRET"] = "hubspot/secret"
	}
	if !maps.Equal(got, want) {
		t.Errorf("secrets are %v\nwant %v", got, want)
	}
}

func TestEnvironmentHoldsKnownSettingsAndNoSecret(t *testing.T) {
	known := documented(t)
	eachPod(t, func(t *testing.T, _ string, pod corev1.PodTemplateSpec) {
		c := pod.Spec.Containers[0]
		if len(c.EnvFrom) != 0 {
			t.Errorf("settings come from somewhere else: %+v", c.EnvFrom)
		}
		seen := map[string]bool{}
		for _, e := range c.Env {
			plain, file := strings.CutSuffix(e.Name, "_FILE")
			setting, ok := known[plain]
			switch {
			case !ok || file && !setting.secret:
				t.Errorf("no program reads %s", e.Name)
			case setting.secret && !file:
				t.Errorf("%s is in the environment, want its file", e.Name)
			case e.Value == "" || e.ValueFrom != nil:
				t.Errorf("%s is %+v, want a value", e.Name, e)
			case seen[e.Name]:
				t.Errorf("%s is set twice", e.Name)
			}
			seen[e.Name] = true
		}
	})
}

// env is a container's environment, of values alone.
func env(c corev1.Container) map[string]string {
	all := map[string]string{}
	for _, e := range c.Env {
		all[e.Name] = e.Value
	}
	return all
}

// selects reports whether a selector that asks for something finds an object with these labels.
func selects(selector, labels map[string]string) bool {
	for name, value := range selector {
		if labels[name] != value {
			return false
		}
	}
	return len(selector) > 0
}
