// Package osspecific completes the package of the same name in Argo Workflows' argoexec. Its published module lacks this
// file, so argoexec does not build on Linux without it. The build (test/env/build.ts) puts it into the vendored package.
package osspecific

import (
	"os"
	"syscall"

	"github.com/argoproj/argo-workflows/v3/util/errors"
)

// Term is what a pod's containers get when they are to end.
var Term = syscall.SIGTERM

// CanIgnoreSignal says which signals are for argoexec alone: ends of children, and Go's own preemption.
func CanIgnoreSignal(s os.Signal) bool {
	return s == syscall.SIGCHLD || s == syscall.SIGURG
}

// Kill sends the signal to the process and all that it started, which share its process group.
func Kill(pid int, s syscall.Signal) error {
	if group, err := syscall.Getpgid(pid); err == nil {
		return syscall.Kill(-group, s)
	}
	return syscall.Kill(pid, s)
}

// Setpgid makes the process about to start the leader of a group of its own.
func Setpgid(attributes *syscall.SysProcAttr) {
	attributes.Setpgid = true
}

// Wait returns when the process has ended: an error with its exit status unless that is 0. Others that end meanwhile
// are buried too: argoexec is process 1 of its container, and inherits what the process leaves behind.
func Wait(process *os.Process) error {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return err
		case pid != process.Pid:
		case status.Signaled():
			return errors.NewExitErr(128 + int(status.Signal()))
		default:
			return errors.NewExitErr(status.ExitStatus())
		}
	}
}
