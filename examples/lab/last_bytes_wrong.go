// SPDX-License-Identifier: MIT

// last_bytes_wrong.go - Refuses uploads. It closes with the body unread: a reset.
package main

import (
	"io"
	"log"
	"net"
)

func refuse(conn net.Conn) {
	defer conn.Close()
	bytes := make([]byte, 4096)
	if _, err := conn.Read(bytes); err != nil {
		return
	}
	io.WriteString(conn, "HTTP/1.0 413 Content Too Large\r\n\r\ntoo large\n")
}

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
		go refuse(conn)
	}
}
