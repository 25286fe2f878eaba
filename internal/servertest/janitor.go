package servertest

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

//go:embed janitor.sh
var janitorScript string

// janitor is a shell that outlives this process by a moment, to end the server and remove its folder.
// Pdeathsig would not do: it follows the thread that started the server, exists on Linux alone and leaves the folder.
type janitor struct {
	cmd   *exec.Cmd
	stdin *os.File
}

func startJanitor(quit syscall.Signal, dir string) (*janitor, error) {
	input, stdin, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("pipe to the janitor: %w", err)
	}
	defer input.Close()
	cmd := exec.Command("/bin/sh", "-c", janitorScript, "janitor", fmt.Sprint(int(quit)), dir)
	cmd.Stdin = input
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a Ctrl-C for the tests is not for their janitor
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the janitor: %w", err)
	}
	return &janitor{cmd: cmd, stdin: stdin}, nil
}

// watch tells which process is the server now; 0 says that none is.
func (j *janitor) watch(pid int) error {
	if _, err := fmt.Fprintln(j.stdin, pid); err != nil {
		return fmt.Errorf("tell the janitor: %w", err)
	}
	return nil
}

// finish has the janitor do its work now, and waits for it.
func (j *janitor) finish() error {
	if err := j.stdin.Close(); err != nil {
		return fmt.Errorf("dismiss the janitor: %w", err)
	}
	if err := j.cmd.Wait(); err != nil {
		return fmt.Errorf("remove the server's folder: %w", err)
	}
	return nil
}
