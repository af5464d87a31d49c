// SPDX-License-Identifier: MIT

// self_connect_wrong.go - Waits for a server on its own host, and may be connected to itself.
package main

import (
	"fmt"
	"log"
	"syscall"
	"time"
)

// net.Dial looks by itself and tries again; who calls the system does not.
func dial() (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		log.Fatal(err)
	}
	to := &syscall.SockaddrInet4{Port: 40000, Addr: [4]byte{127, 0, 0, 1}}
	if err := syscall.Connect(fd, to); err != nil {
		syscall.Close(fd)
		return -1, err
	}
	return fd, nil
}

func main() {
	for {
		if fd, err := dial(); err == nil {
			fmt.Println("connected") // to whom?
			syscall.Close(fd)
			return
		}
		time.Sleep(time.Millisecond)
	}
}
