# Compiler flags for one instruction set, on one file and never on the project; and the warnings
# that every C file of the project is held to.

# isa_flags(avx2|avx512 file...)
function(isa_flags isa)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" OR CMAKE_OSX_ARCHITECTURES MATCHES "x86_64")
    if(MSVC AND NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
      set(avx2 /arch:AVX2)
      set(avx512 /arch:AVX512)
    else()
      set(avx2 -mavx2)
      set(avx512 -mavx512f -mavx512vl -mavx512bw -mavx512dq)
    endif()
    set(flags ${${isa}})
    # A universal build compiles each file for both architectures.
    if(CMAKE_OSX_ARCHITECTURES)
      list(TRANSFORM flags PREPEND "SHELL:-Xarch_x86_64 ")
    endif()
    set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS ${flags})
  endif()
endfunction()

# Warnings are errors only where the builder asks (-DCMAKE_COMPILE_WARNING_AS_ERROR=ON): a new
# compiler's new warning must not break a user's installation.
function(warnings target)
  if(MSVC)
    target_compile_options(${target} PRIVATE /W3)
  else()
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef)
  endif()
endfunction()
