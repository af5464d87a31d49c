// SPDX-License-Identifier: MIT

// restart_wrong.go - Says the time, closing first. Without the SO_REUSEADDR that Go sets it fails when started again.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"syscall"
	"time"
)

func plain(network, address string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 0)
	})
}

func main() {
	config := net.ListenConfig{Control: plain}
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:8080")
	if err != nil {
		log.Fatal(err)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprintln(conn, time.Now().Unix())
		conn.Close() // first: so TIME_WAIT is here
	}
}
