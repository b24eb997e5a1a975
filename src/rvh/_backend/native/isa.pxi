# The instruction set in use.

def isa_available():
    cdef const blake2_simd *sets[BLAKE2_SIMD_ISA_MAX]
    return tuple([blake2_simd_name(sets[i]).decode() for i in range(blake2_simd_available(sets))])


def isa_active():
    active_isa()
    return blake2_simd_name(blake2_simd_active()).decode()


cdef const rvh_isa *active_isa() except NULL:
    cdef const rvh_isa *isa = rvh_isa_active()
    if isa is NULL:
        import os

        raise RVHError(
            f"RVH_ISA is {os.environ.get('RVH_ISA')!r}: the instruction sets available here are "
            f"{', '.join(isa_available())}; choose one of them, or unset it"
        )
    return isa
