* The same as crew.lp, in fixed columns.
NAME          CREW
OBJSENSE
    MAX
ROWS
 N  VALUE
 L  work
 E  one
 L  hours
COLUMNS
    M1        'MARKER'                 'INTORG'
    early     VALUE              4.0   work               2.0
    early     one                1.0
    late      VALUE              3.0   work               3.0
    late      one                1.0
    crew      VALUE              2.0   work              -1.0
    crew      hours              2.0
    M2        'MARKER'                 'INTEND'
    hired     VALUE             -0.5   work              -1.0
    hired     hours             -1.0
    none      one                1.0
RHS
    RHS       work               1.0   one                1.0
    RHS       hours              5.0   VALUE              7.0
RANGES
    RNG       hours              9.0
BOUNDS
 BV BND       early
 BV BND       late
 LO BND       crew              -2.0
 UP BND       crew               3.0
 UP BND       hired              2.5
 BV BND       none
ENDATA
