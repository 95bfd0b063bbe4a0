# cmake -DINPUT=FILE -DOUTPUT=FILE.cpp -DHEADER=PATH -DNAMESPACE=A::B -DNAME=function -P embed.cmake
# Writes the source of `std::string_view NAME()`, which answers the file's text.
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\n\nstd::string_view ${NAME}() {\n"
     "    using namespace std::string_view_literals;\n    return R\"HF_TEXT(${text})HF_TEXT\"sv;\n}\n\n}\n")
