package main

import (
	"syscall"
	"time"
)

// sleepPrecisely wakes less than 0.1 ms late; the runtime's own timers are up to a millisecond late in an
// idle process. A signal may cut it short.
func sleepPrecisely(d time.Duration) {
	timespec := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&timespec, nil)
}
