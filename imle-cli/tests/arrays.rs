//! Numbers survive the way through a file to the bit, and no file makes the reader panic.

use imle_cli::arrays::{Array, Format};
use proptest::prelude::*;

fn arrays() -> impl Strategy<Value = Array> {
    (1..8_usize, 1..6_usize).prop_flat_map(|(rows, width)| {
        let number = prop_oneof![
            any::<f64>(),
            -4.0..4.0,
            Just(-0.0),
            Just(1e300),
            Just(5e-324)
        ];
        let values = proptest::collection::vec(number, rows * width);
        values.prop_map(move |values| Array::new([rows, width], values))
    })
}

/// With one bit pattern for all that is no number: CSV writes `NaN` for each.
fn bits(array: &Array) -> (Vec<usize>, Vec<u64>) {
    let bits = |value: &f64| {
        if value.is_nan() {
            f64::NAN.to_bits()
        } else {
            value.to_bits()
        }
    };
    (array.shape.clone(), array.values.iter().map(bits).collect())
}

fn through(array: &Array, format: Format) -> Array {
    let bytes = array.to_bytes(format).expect("memory is written to");
    Array::from_bytes(&bytes, format).expect("what was written is read")
}

proptest! {
    #[test]
    fn npy_and_csv_give_back_what_they_got(array in arrays()) {
        let npy = through(&array, Format::Npy);
        prop_assert_eq!(&bits(&npy), &bits(&array));
        let csv = through(&npy, Format::Csv);
        prop_assert_eq!(&bits(&csv), &bits(&array));
        prop_assert_eq!(&bits(&through(&csv, Format::Npy)), &bits(&array));
    }

    #[test]
    fn three_axes_survive_npy(values in proptest::collection::vec(-1e3..1e3, 24)) {
        let array = Array::new([2, 3, 4], values);
        prop_assert_eq!(through(&array, Format::Npy), array);
    }

    #[test]
    fn bytes_of_any_kind_give_an_array_or_a_sentence(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for format in [Format::Npy, Format::Csv] {
            if let Err(why) = Array::from_bytes(&bytes, format) {
                prop_assert!(!why.message().is_empty());
            }
        }
    }

    #[test]
    fn a_npy_file_with_a_byte_changed_gives_an_array_or_a_sentence(
        array in arrays(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = array.to_bytes(Format::Npy).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Err(why) = Array::from_bytes(&bytes, Format::Npy) {
            prop_assert!(!why.message().is_empty());
        }
    }
}

/// A `.npy` file of version 1 written by itself, not by the code that is tested.
fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let length = u16::try_from(header.len())
        .expect("a short header")
        .to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

fn read(bytes: &[u8]) -> Result<Array, imle_runtime::Error> {
    Array::from_bytes(bytes, Format::Npy)
}

#[test]
fn every_type_of_number_is_read() {
    let expected = Array::new([3], vec![1.0, 0.0, 3.0]);
    let numbers = [1_u8, 0, 3];
    macro_rules! check {
        ($type:ty, $descr:expr) => {
            let data = |bytes: fn($type) -> Vec<u8>| numbers.map(|n| bytes(n.into())).concat();
            let little = npy(
                concat!("<", $descr),
                false,
                "(3,)",
                &data(|n| n.to_le_bytes().to_vec()),
            );
            assert_eq!(read(&little).unwrap(), expected, $descr);
            let big = npy(
                concat!(">", $descr),
                false,
                "(3,)",
                &data(|n| n.to_be_bytes().to_vec()),
            );
            assert_eq!(read(&big).unwrap(), expected, $descr);
        };
    }
    check!(f64, "f8");
    check!(f32, "f4");
    check!(i64, "i8");
    check!(i32, "i4");
    check!(i16, "i2");
    check!(u64, "u8");
    check!(u32, "u4");
    check!(u16, "u2");
    assert_eq!(
        read(&npy("|u1", false, "(3,)", &numbers)).unwrap(),
        expected
    );
    assert_eq!(
        read(&npy("|i1", false, "(3,)", &numbers)).unwrap(),
        expected
    );
    let truth = Array::new([3], vec![1.0, 0.0, 1.0]);
    assert_eq!(read(&npy("|b1", false, "(3,)", &[1, 0, 1])).unwrap(), truth);
}

/// What `numpy.save` of NumPy 2 writes for `[[1.5, -2.0]]`, byte for byte.
#[test]
fn a_file_is_written_as_numpy_writes_it() {
    let mut expected = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    expected.extend(b"{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }");
    expected.resize(127, b' ');
    expected.push(b'\n');
    expected.extend([1.5_f64.to_le_bytes(), (-2.0_f64).to_le_bytes()].concat());
    let array = Array::new([1, 2], vec![1.5, -2.0]);
    assert_eq!(array.to_bytes(Format::Npy).unwrap(), expected);
}

#[test]
fn the_order_of_fortran_is_turned() {
    let data: Vec<u8> = (0..6_u8).collect();
    let array = read(&npy("|u1", true, "(2, 3)", &data)).unwrap();
    assert_eq!(
        array,
        Array::new([2, 3], vec![0.0, 2.0, 4.0, 1.0, 3.0, 5.0])
    );
    let data: Vec<u8> = (0..24_u8).collect();
    let array = read(&npy("|u1", true, "(2, 3, 4)", &data)).unwrap();
    for (i, j, k) in (0..2).flat_map(|i| (0..12).map(move |jk| (i, jk / 4, jk % 4))) {
        let expected = (i + 2 * (j + 3 * k)) as f64;
        assert_eq!(array.values[(i * 3 + j) * 4 + k], expected);
    }
}

#[test]
fn what_is_no_array_of_numbers_is_refused_with_the_reason() {
    let refused = |bytes: &[u8], says: &str| {
        let why = read(bytes).expect_err("it is wrong");
        assert!(why.message().contains(says), "{why}");
    };
    refused(b"1,2,3", "not a .npy file");
    refused(&npy("<f8", false, "(3,)", &[0; 16]), "cut off");
    let shapes = [
        ("(4294967296, 4294967296, 2)", "too large"),
        ("(1000000000000,)", "cut off"),
        ("(18446744073709551616,)", "where a length should be"),
        ("(-1,)", "where a length should be"),
        ("3", "where `(` should be"),
    ];
    // Each number of a file would be placed along as many axes as its header has room for.
    let axes = format!("({})", "1, ".repeat(65));
    refused(
        &npy("<f8", true, &axes, &[0; 8]),
        "the shape has 65 axes, and the most are 64",
    );
    for (shape, says) in shapes {
        refused(&npy("<f8", false, shape, &[]), says);
    }
    let other_key = npy("<f8', 'other': 'x", false, "(3,)", &[]);
    refused(&other_key, "unknown key `other`");
    refused(b"\x93NUMPY\x09\x00\x00\x00", "version 9 of .npy");
    refused(b"\x93NUMPY\x01\x00\xff\x00{}", "cut off within its header");
    refused(&npy("<c16", false, "(1,)", &[0; 16]), "not a real number");
    refused(&npy("|O", false, "(1,)", &[0; 8]), "not a real number");
}

/// 2^53 + 1 is the first one.
#[test]
fn an_integer_that_is_no_number_is_refused_in_either_format() {
    let csv = |digits: &str| Array::from_bytes(format!("1\n{digits}\n").as_bytes(), Format::Csv);
    let signed = |value: i64| read(&npy("<i8", false, "(1,)", &value.to_le_bytes()));
    let unsigned = |value: u64| read(&npy("<u8", false, "(1,)", &value.to_le_bytes()));
    let beyond = (1 << 53) + 1;
    for why in [
        signed(beyond),
        signed(-beyond),
        signed(i64::MAX),
        unsigned(u64::MAX),
        csv("9007199254740993"),
        csv("-9007199254740993"),
        csv(&"9".repeat(400)),
    ] {
        let why = why.unwrap_err();
        assert!(
            why.message().contains(" is no float64, the nearest is "),
            "{why}"
        );
    }
    let place = csv("9007199254740993").unwrap_err();
    let sentence = "line 2, column 1: the integer 9007199254740993 is no float64, the nearest is 9007199254740992; if that";
    assert!(place.message().starts_with(sentence), "{place}");
    for (exact, number) in [
        (signed(i64::MIN), -9_223_372_036_854_775_808.0),
        (signed(beyond - 1), 9_007_199_254_740_992.0),
        (unsigned(1 << 63), 9_223_372_036_854_775_808.0),
        (csv("100000000000000000000"), 1e20),
        (csv("-00000000000000000000"), 0.0),
        (csv("9007199254740993.0"), 9_007_199_254_740_992.0),
        (csv("+123456789012345678e3"), 123_456_789_012_345_680_000.0),
    ] {
        assert_eq!(*exact.unwrap().values.last().unwrap(), number);
    }
}
