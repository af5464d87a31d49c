// SPDX-License-Identifier: MIT

// end_of_file_wrong.go - An echo server. A client that leaves makes one of its goroutines spin.
package main

import (
	"log"
	"net"
)

func serve(conn net.Conn) {
	defer conn.Close()
	bytes := make([]byte, 4096)
	for {
		n, _ := conn.Read(bytes) // the error that is dropped here is io.EOF
		conn.Write(bytes[:n])
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
