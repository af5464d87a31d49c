// SPDX-License-Identifier: MIT

// half_close_wrong.go - Means "that was my request", says "I am gone": the answer meets a reset.
package main

import (
	"io"
	"log"
	"net"
)

func main() {
	conn, err := net.Dial("tcp", "127.0.0.1:8080")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.WriteString(conn, "the whole request"); err != nil {
		log.Fatal(err)
	}
	conn.Close() // a FIN, so that the server sees the end of the request; and nobody reads
}
