// SPDX-License-Identifier: MIT

// self_connect_right.go - net.Dial notices that it has reached itself, and tries again.
package main

import (
	"fmt"
	"net"
	"time"
)

func main() {
	for {
		conn, err := net.Dial("tcp", "127.0.0.1:40000")
		if err == nil {
			fmt.Println("connected to", conn.RemoteAddr())
			conn.Close()
			return
		}
		time.Sleep(time.Millisecond)
	}
}
