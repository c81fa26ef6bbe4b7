//! The header and the Rust declarations of the ABI are one contract.
//!
//! Both languages say what they know: the size and alignment of every struct, the place and the type of
//! every field, the value of every constant. The C program that does so is made from the Rust
//! declarations, so nothing is listed by hand twice.

use std::ffi::{c_char, c_void};
use std::fs;
use std::mem::offset_of;
use std::process::Command;

use imle_api::{ErrorKind, ThetaDomain, abi};

mod common;

#[test]
fn the_layout_in_c_is_the_layout_in_rust() {
    let layout = Layout::of_the_abi();
    let (source, program) = (common::scratch("layout.c"), common::scratch("layout"));
    fs::write(&source, layout.c_program()).unwrap();
    let Some(mut compiler) = common::compiler("c11") else {
        return;
    };
    compiler.arg(&source).arg("-o").arg(&program);
    common::succeed(compiler);
    assert_eq!(common::succeed(Command::new(&program)), layout.rust);
}

/// Sizes may grow and the minor version too; nothing else of a released version may change.
#[test]
fn the_layout_contains_that_of_every_released_version() {
    let now = Layout::of_the_abi().rust;
    let versions = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/abi"));
    let mut compared = 0;
    for version in versions.expect("the folder is there") {
        let path = version.expect("it can be read").path().join("layout.txt");
        let frozen = fs::read_to_string(&path).expect("a version has its layout");
        for line in frozen.lines() {
            compared += 1;
            let holds = now.lines().any(|now| now == line || is_growth(line, now));
            assert!(
                holds,
                "{} says `{line}`, which holds no more; all of it now:\n{now}",
                path.display()
            );
        }
    }
    assert!(compared > 0, "no version is frozen");
}

/// Whether a line says the same of a struct that has grown, or of the minor version of a later release.
fn is_growth(frozen: &str, now: &str) -> bool {
    let number = |line: &str, before: &str, after: &str| -> Option<u32> {
        let (head, tail) = (line.find(before)? + before.len(), line.rfind(after)?);
        line.get(head..tail)?.parse().ok()
    };
    let grows = |before: &str, after: &str| {
        let same = frozen.split(before).next() == now.split(before).next();
        let sizes = number(frozen, before, after).zip(number(now, before, after));
        same && sizes.is_some_and(|(frozen, now)| frozen <= now)
    };
    grows(": size ", ", align 8") || (frozen.starts_with("IMLE_ABI_MINOR") && grows(" = ", ""))
}

/// With the first test: the header has no field that Rust does not know, since there is no room for one.
#[test]
fn no_struct_has_a_byte_without_a_field() {
    for it in structs() {
        let covered: usize = it.fields.iter().map(|field| field.size).sum();
        assert_eq!(covered, it.size, "{}", it.name);
    }
}

#[test]
fn every_constant_of_the_header_is_compared() {
    let header = fs::read_to_string(format!("{}/imle_plugin.h", common::INCLUDE)).unwrap();
    let compared: Vec<String> = constants().into_iter().map(|(name, _)| name).collect();
    let not_constants = [
        "IMLE_PLUGIN_H",
        "IMLE_EXPORT",
        "IMLE_ENTRY_SYMBOL",
        "IMLE_EXTENSION_MARGINALS",
    ];
    for line in header.lines() {
        let Some(name) = line
            .strip_prefix("#define ")
            .and_then(|rest| rest.split(' ').next())
        else {
            continue;
        };
        let known = compared.iter().any(|it| it == name) || not_constants.contains(&name);
        assert!(known || name.contains('('), "{name} is in the header only");
    }
}

#[test]
fn the_header_is_free_of_warnings_in_every_language_twice_and_in_two_translation_units() {
    for standard in ["c99", "c11", "c17", "c++11", "c++14", "c++17", "c++20"] {
        let Some(mut compiler) = common::compiler(standard) else {
            continue;
        };
        let language = standard.trim_end_matches(|c: char| c.is_ascii_digit());
        let program = common::scratch(&format!("header-{standard}"));
        compiler
            .args(["-x", language])
            .args(["header_one.c", "header_two.c"].map(common::c_file))
            .arg("-o")
            .arg(&program);
        common::succeed(compiler);
        common::succeed(Command::new(&program));
    }
}

/// A struct of the ABI as Rust lays it out.
struct Struct {
    name: &'static str,
    size: usize,
    align: usize,
    fields: Vec<Field>,
}

struct Field {
    name: &'static str,
    offset: usize,
    size: usize,
    c_type: String,
}

/// Describes a struct. A field that is not listed is an error of the compiler.
macro_rules! describe {
    ($type:ident as $name:literal { $($field:ident),+ $(,)? }) => {{
        let _all_fields_are_listed = |abi::$type { $($field: _),+ }| ();
        Struct {
            name: $name,
            size: size_of::<abi::$type>(),
            align: align_of::<abi::$type>(),
            fields: vec![$(
                field(
                    stringify!($field),
                    offset_of!(abi::$type, $field),
                    |it: &abi::$type| &raw const it.$field,
                )
            ),+],
        }
    }};
}

fn field<T, F: InC>(name: &'static str, offset: usize, _: impl Fn(&T) -> *const F) -> Field {
    Field {
        name,
        offset,
        size: size_of::<F>(),
        c_type: F::c_type(),
    }
}

fn structs() -> [Struct; 7] {
    [
        describe!(Sink as "imle_sink" { struct_size, reserved, write }),
        describe!(Info as "imle_info" {
            struct_size, flags, dim, ones, z_lower, z_upper, theta_domain, reserved,
        }),
        describe!(SolveArguments as "imle_solve_arguments" {
            struct_size, flags, rows, theta, z, status, objective, bound, radius, time_limit, stop,
            row_message, host,
        }),
        describe!(Solver as "imle_solver" {
            struct_size, reserved, name, summary, serial_group, config_schema, create, destroy, info,
            workspace_create, workspace_destroy, solve, extension,
        }),
        describe!(MarginalsArguments as "imle_marginals_arguments" {
            struct_size, flags, rows, theta, mu, status, log_partition, time_limit, stop, row_message,
            host,
        }),
        describe!(Marginals as "imle_marginals" { struct_size, reserved, marginals }),
        describe!(Plugin as "imle_plugin" {
            struct_size, abi_minor, flags, reserved, name, version, license, solver_count, solvers,
        }),
    ]
}

fn constants() -> Vec<(String, i64)> {
    let mut constants = vec![
        ("IMLE_ABI_MAJOR".to_owned(), abi::MAJOR.into()),
        ("IMLE_ABI_MINOR".to_owned(), abi::MINOR.into()),
        ("IMLE_OK".to_owned(), abi::OK.into()),
        ("IMLE_UNSET".to_owned(), abi::UNSET.into()),
        ("IMLE_INFO_INTEGRAL".to_owned(), abi::INFO_INTEGRAL.into()),
        ("IMLE_ONES_VARY".to_owned(), abi::ONES_VARY as i64),
        ("IMLE_THETA_ANY".to_owned(), ThetaDomain::Any as i64),
        (
            "IMLE_THETA_NON_POSITIVE".to_owned(),
            ThetaDomain::NonPositive as i64,
        ),
        (
            "IMLE_PLUGIN_PANIC_ABORTS".to_owned(),
            abi::PLUGIN_PANIC_ABORTS.into(),
        ),
        ("IMLE_SINK_SIZE_1_0".to_owned(), abi::baseline::SINK.into()),
        ("IMLE_INFO_SIZE_1_0".to_owned(), abi::baseline::INFO.into()),
        (
            "IMLE_SOLVE_ARGUMENTS_SIZE_1_0".to_owned(),
            abi::baseline::SOLVE_ARGUMENTS.into(),
        ),
        (
            "IMLE_SOLVER_SIZE_1_0".to_owned(),
            abi::baseline::SOLVER.into(),
        ),
        (
            "IMLE_PLUGIN_SIZE_1_0".to_owned(),
            abi::baseline::PLUGIN.into(),
        ),
        (
            "IMLE_MARGINALS_ARGUMENTS_SIZE_1_0".to_owned(),
            abi::baseline::MARGINALS_ARGUMENTS.into(),
        ),
        (
            "IMLE_MARGINALS_SIZE_1_0".to_owned(),
            abi::baseline::MARGINALS.into(),
        ),
    ];
    let code = |kind: ErrorKind| (name_in_c(kind), kind.code().into());
    constants.extend(ErrorKind::ALL.map(code));
    constants
}

/// `InvalidConfig` is `IMLE_E_INVALID_CONFIG`.
fn name_in_c(kind: ErrorKind) -> String {
    let mut name = "IMLE_E".to_owned();
    for letter in format!("{kind:?}").chars() {
        if letter.is_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// What Rust says, and the statements of a C program that says the same if the header agrees.
#[derive(Default)]
struct Layout {
    rust: String,
    c: String,
}

impl Layout {
    fn of_the_abi() -> Self {
        let mut layout = Self::default();
        for Struct {
            name,
            size,
            align,
            fields,
        } in structs()
        {
            layout.line(
                &format!("{name}: size {size}, align {align}"),
                &format!("{name}: size %zu, align %zu"),
                &format!("sizeof({name}), _Alignof({name})"),
            );
            for Field {
                name: field,
                offset,
                size,
                c_type,
            } in fields
            {
                let it = format!("(({name} *)0)->{field}");
                layout.line(
                    &format!("{name}.{field}: offset {offset}, size {size}, {c_type}"),
                    &format!("{name}.{field}: offset %zu, size %zu, %s"),
                    &format!(
                        "offsetof({name}, {field}), sizeof({it}), {}",
                        ask_type(&it, &c_type)
                    ),
                );
            }
        }
        for (name, value) in constants() {
            let asked = format!("(long long){name}");
            layout.line(
                &format!("{name} = {value}"),
                &format!("{name} = %lld"),
                &asked,
            );
        }
        let symbol = str::from_utf8(abi::ENTRY_SYMBOL)
            .expect("the symbol is ASCII")
            .trim_end_matches('\0');
        let entry = <abi::Entry as InC>::c_type();
        for it in [format!("&{symbol}"), "(imle_entry)0".to_owned()] {
            layout.line(
                &format!("{it}: {entry}"),
                &format!("{it}: %s"),
                &ask_type(&it, &entry),
            );
        }
        layout.line(symbol, "%s", "IMLE_ENTRY_SYMBOL");
        let marginals = abi::MARGINALS.to_str().expect("the id is ASCII");
        layout.line(marginals, "%s", "IMLE_EXTENSION_MARGINALS");
        layout
    }

    fn line(&mut self, rust: &str, format: &str, arguments: &str) {
        self.rust += &format!("{rust}\n");
        self.c += &format!("  printf(\"{format}\\n\", {arguments});\n");
    }

    fn c_program(&self) -> String {
        let Self { c, .. } = self;
        format!(
            "#include \"imle_plugin.h\"\n#include <stdio.h>\n\nint main(void) {{\n{c}  return 0;\n}}\n"
        )
    }
}

/// A C expression: the name of the type of `it` if that is `c_type`.
fn ask_type(it: &str, c_type: &str) -> String {
    format!("_Generic({it}, {c_type}: \"{c_type}\", default: \"another type\")")
}

/// A type of the ABI, written in C.
trait InC {
    fn c_type() -> String;
}

macro_rules! in_c {
    ($($type:ty => $name:literal),+ $(,)?) => {
        $(impl InC for $type { fn c_type() -> String { $name.to_owned() } })+
    };
}

in_c! {
    () => "void",
    c_void => "void",
    c_char => "char",
    i32 => "int32_t",
    u32 => "uint32_t",
    u64 => "uint64_t",
    f64 => "double",
    abi::Sink => "imle_sink",
    abi::Instance => "imle_instance",
    abi::Workspace => "imle_workspace",
    abi::Info => "imle_info",
    abi::SolveArguments => "imle_solve_arguments",
    abi::Solver => "imle_solver",
    abi::MarginalsArguments => "imle_marginals_arguments",
    abi::Marginals => "imle_marginals",
    abi::Plugin => "imle_plugin",
}

impl<T: InC> InC for *const T {
    fn c_type() -> String {
        format!("{} const *", T::c_type())
    }
}

impl<T: InC> InC for *mut T {
    fn c_type() -> String {
        format!("{} *", T::c_type())
    }
}

/// A function that may be null: the same type in C.
impl<T: InC> InC for Option<T> {
    fn c_type() -> String {
        T::c_type()
    }
}

macro_rules! functions_in_c {
    ($(($($argument:ident),+))+) => {
        $(impl<$($argument: InC,)+ R: InC> InC for unsafe extern "C" fn($($argument),+) -> R {
            fn c_type() -> String {
                format!("{} (*)({})", R::c_type(), [$($argument::c_type()),+].join(", "))
            }
        })+
    };
}

functions_in_c! { (A) (A, B) (A, B, C) (A, B, C, D) }
