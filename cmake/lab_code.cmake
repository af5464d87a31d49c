# SPDX-License-Identifier: MIT
#
# lab_code.cmake - Files as C: lab_code(name) gives the text of a program of examples/lab.
#
#     cmake -DOUT=lab_code.c "-DFILES=a.c;b.go" -P lab_code.cmake
set(text "#include \"cli/lab_print.h\"\n\n#include <string.h>\n\n")
set(rows "")
set(n 0)
foreach(file ${FILES})
    get_filename_component(name ${file} NAME)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${hex}")
    string(REGEX REPLACE "('.x[89a-f].')" "(char)\\1" bytes "${bytes}")
    string(APPEND text "static const char file_${n}[] = { ${bytes} 0 };\n")
    string(APPEND rows "    if (strcmp(name, \"${name}\") == 0)\n        return file_${n};\n")
    math(EXPR n "${n} + 1")
endforeach()
string(APPEND text "\nconst char *lab_code(const char *name)\n{\n    (void)name;\n${rows}    return NULL;\n}\n")
file(WRITE ${OUT} "${text}")
