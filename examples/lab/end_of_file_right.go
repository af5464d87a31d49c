// SPDX-License-Identifier: MIT

// end_of_file_right.go - An echo server. It leaves when the client does.
package main

import (
	"io"
	"log"
	"net"
)

func serve(conn net.Conn) {
	defer conn.Close()
	// Copies until io.EOF, which is no error to it, or until a real one.
	if _, err := io.Copy(conn, conn); err != nil {
		log.Print(err)
	}
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
		go serve(conn)
	}
}
