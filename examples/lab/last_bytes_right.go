// SPDX-License-Identifier: MIT

// last_bytes_right.go - Refuses uploads. It reads to the end before it closes, so the answer arrives.
package main

import (
	"io"
	"log"
	"net"
	"time"
)

func refuse(conn net.Conn) {
	defer conn.Close()
	bytes := make([]byte, 4096)
	if _, err := conn.Read(bytes); err != nil {
		return
	}
	io.WriteString(conn, "HTTP/1.0 413 Content Too Large\r\n\r\ntoo large\n")
	// "That was all from me"; then let the client finish, but not for ever.
	conn.(*net.TCPConn).CloseWrite()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	io.Copy(io.Discard, io.LimitReader(conn, 40<<20))
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
