// SPDX-License-Identifier: MIT

// restart_right.go - Says the time, closing first. net.Listen sets SO_REUSEADDR: it can be started again at once.
package main

import (
	"fmt"
	"log"
	"net"
	"time"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:8080")
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
