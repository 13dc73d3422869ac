package remedies

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// diagnoseName is the role of the standing identity.
const diagnoseName = "tandem-diagnose"

// ClusterPolicy is all that an operator applies to the cluster, as YAML
// documents, for what the configuration lets the bot look at and the remedies
// touch: the bot's account and its right to look, an account for each remedy with
// the rights of that one remedy, the bot's right to act as these and no others,
// and the admission policies that hold what rights cannot say. The namespaces are
// there already.
func ClusterPolicy(d Deps) ([]byte, error) {
	if d.Kubernetes.Namespace == "" || d.Kubernetes.Account == "" {
		return nil, errors.New("no cluster is configured: set remedies.kubernetes in the configuration")
	}
	p := policyPrinter{namespace: d.Kubernetes.Namespace, account: d.Kubernetes.Account}
	p.standing(d)
	for _, make := range clusterRemedies {
		if r := make(d); len(r.rights) > 0 {
			p.remedy(r)
		}
	}
	p.elevation()
	return p.out.Bytes(), p.err
}

// policyPrinter collects the documents.
type policyPrinter struct {
	namespace, account string
	accounts           []string // of the remedies
	out                bytes.Buffer
	err                error
}

// standing is the bot's account, which only looks.
func (p *policyPrinter) standing(d Deps) {
	looks := []string{"get", "list"}
	p.serviceAccount(p.account)
	p.add(&rbacv1.ClusterRole{
		TypeMeta: typed(rbacv1.SchemeGroupVersion.String(), "ClusterRole"), ObjectMeta: metav1.ObjectMeta{Name: diagnoseName},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"pods", "pods/log", "events"}, Verbs: looks},
			{APIGroups: []string{"apps"}, Resources: []string{"deployments", "replicasets", "daemonsets", "statefulsets"}, Verbs: looks},
			{APIGroups: []string{"batch"}, Resources: []string{"jobs"}, Verbs: looks},
		},
	})
	for _, namespace := range d.namespaces() {
		p.bind(namespace, diagnoseName, "ClusterRole", p.account)
	}
}

// namespaces are those that the bot looks at.
func (d Deps) namespaces() []string {
	var all []string
	for _, s := range d.Services {
		if s.Workload != nil {
			all = append(all, s.Workload.Namespace)
		}
	}
	for _, w := range []*Workload{d.SPIRE.AgentSet, d.SPIRE.ServerSet} {
		if w != nil {
			all = append(all, w.Namespace)
		}
	}
	if d.EndToEnd.Job != nil {
		all = append(all, d.EndToEnd.Job.Namespace)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// remedy is the account of a remedy, with its rights in each namespace and its
// fence.
func (p *policyPrinter) remedy(r clusterRemedy) {
	name := RoleName(r.Name)
	p.accounts = append(p.accounts, name)
	p.serviceAccount(name)
	for _, namespace := range r.namespaces() {
		role := &rbacv1.Role{TypeMeta: typed(rbacv1.SchemeGroupVersion.String(), "Role"), ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
		for _, right := range r.rights {
			if right.namespace == namespace {
				role.Rules = append(role.Rules, right.rule)
			}
		}
		p.add(role)
		p.bind(namespace, name, "Role", name)
	}
	p.fence(name, r.fence)
}

func (r clusterRemedy) namespaces() []string {
	var all []string
	for _, right := range r.rights {
		all = append(all, right.namespace)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// fence is the admission policy of a remedy's account, and its binding.
func (p *policyPrinter) fence(name string, f fence) {
	fail, forbidden := admissionv1.Fail, metav1.StatusReasonForbidden
	policy := &admissionv1.ValidatingAdmissionPolicy{
		TypeMeta: typed(admissionv1.SchemeGroupVersion.String(), "ValidatingAdmissionPolicy"), ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			FailurePolicy: &fail,
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
				Operations: []admissionv1.OperationType{admissionv1.OperationType(f.operation)},
				Rule:       admissionv1.Rule{APIGroups: []string{f.group}, APIVersions: []string{"v1"}, Resources: []string{f.resource}},
			}}}},
			MatchConditions: []admissionv1.MatchCondition{{
				Name: "the-remedys-account", Expression: "request.userInfo.username == " + quoted(userName(p.namespace, name)),
			}},
		},
	}
	for _, rule := range f.rules {
		policy.Spec.Validations = append(policy.Spec.Validations, admissionv1.Validation{Expression: rule.expression, Message: rule.message, Reason: &forbidden})
	}
	p.add(policy)
	p.add(&admissionv1.ValidatingAdmissionPolicyBinding{
		TypeMeta: typed(admissionv1.SchemeGroupVersion.String(), "ValidatingAdmissionPolicyBinding"), ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{PolicyName: name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny}},
	})
}

// elevation lets the bot act as the accounts of the remedies, and as nobody else.
func (p *policyPrinter) elevation() {
	if len(p.accounts) == 0 {
		return
	}
	const name = "tandem-act-as-remedies"
	p.add(&rbacv1.Role{
		TypeMeta: typed(rbacv1.SchemeGroupVersion.String(), "Role"), ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: p.namespace},
		Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"serviceaccounts"}, ResourceNames: p.accounts, Verbs: []string{"impersonate"}}},
	})
	p.bind(p.namespace, name, "Role", p.account)
}

func (p *policyPrinter) serviceAccount(name string) {
	p.add(&corev1.ServiceAccount{TypeMeta: typed("v1", "ServiceAccount"), ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: p.namespace}})
}

// bind gives an account of the bot's namespace a role in another.
func (p *policyPrinter) bind(namespace, role, kind, account string) {
	p.add(&rbacv1.RoleBinding{
		TypeMeta: typed(rbacv1.SchemeGroupVersion.String(), "RoleBinding"), ObjectMeta: metav1.ObjectMeta{Name: role, Namespace: namespace},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: role},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: account, Namespace: p.namespace}},
	})
}

func typed(version, kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: version, Kind: kind}
}

// add prints one document, without the fields that only the server writes.
func (p *policyPrinter) add(object any) {
	raw, err := json.Marshal(object)
	var fields map[string]any
	if err == nil {
		err = json.Unmarshal(raw, &fields)
	}
	delete(fields, "status")
	text, marshalErr := yaml.Marshal(fields)
	if err = errors.Join(err, marshalErr); err != nil {
		p.err = errors.Join(p.err, fmt.Errorf("print %T: %w", object, err))
		return
	}
	p.out.WriteString("---\n")
	p.out.Write(text)
}
