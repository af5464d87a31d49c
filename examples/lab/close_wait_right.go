// SPDX-License-Identifier: MIT

// close_wait_right.go - Asks a server once a second. Every way out closes the socket.
package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"time"
)

func ask() error {
	conn, err := net.Dial("tcp", "127.0.0.1:8080")
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /health HTTP/1.0\r\n\r\n")
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, " 200 ") {
		return fmt.Errorf("not well: %q", line)
	}
	return nil
}

func main() {
	for {
		fmt.Println(ask())
		time.Sleep(time.Second)
	}
}
