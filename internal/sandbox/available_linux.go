package sandbox

import (
	"fmt"
	"runtime"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
)

// Available says why programs cannot be run here, wrapping ErrUnavailable; nil
// when they can.
func Available() error {
	if _, err := arch.GetInfo(""); err != nil {
		return fmt.Errorf("%w: there is no seccomp filter for %s", ErrUnavailable, runtime.GOARCH)
	}
	if !seccomp.Supported() {
		return fmt.Errorf("%w: the kernel has no seccomp filters (CONFIG_SECCOMP_FILTER), or the container forbids them", ErrUnavailable)
	}
	_, err := landlockABI()
	return err
}
