package config

import (
	"errors"
	"reflect"
)

// CheckSecrets reads every reference of the configuration once and reports all
// that cannot be read. Load leaves that out, so that a diagnosis runs where the
// tokens of Slack are not at hand.
func (c *Config) CheckSecrets() error {
	var errs []error
	eachRef(reflect.ValueOf(c), func(r Ref) {
		if _, err := r.Read(); err != nil {
			errs = append(errs, err)
		}
	})
	if c.Vault != nil {
		errs = append(errs, c.Vault.Identity.checkFiles())
	}
	return errors.Join(errs...)
}

// checkFiles reads the files that hold a secret and are configured by a path
// alone.
func (id *Identity) checkFiles() error {
	var errs []error
	if id.TokenFile != "" {
		_, err := FileRef(id.TokenFile, "vault.identity.token_file").Read()
		errs = append(errs, err)
	}
	if id.Kubernetes != nil {
		_, err := FileRef(id.Kubernetes.TokenFile, "vault.identity.kubernetes.token_file").Read()
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// eachRef visits the references that are set, in the order of the structs.
func eachRef(v reflect.Value, visit func(Ref)) {
	if ref, ok := v.Interface().(Ref); ok {
		if !ref.IsZero() {
			visit(ref)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachRef(v.Elem(), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			eachRef(v.Field(i), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachRef(v.Index(i), visit)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			eachRef(v.MapIndex(key), visit)
		}
	}
}
