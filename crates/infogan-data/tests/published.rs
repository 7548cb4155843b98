//! Folders as published sets of pictures have them: CelebA in both publications, renderings of chairs and of faces.

use std::{fs, path::Path};

use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use infogan_data::{FactorValues, Fit, Folder, FolderOptions, ImageSet, check_folder, detect, load_folder};

/// An attribute and who has it.
type Attribute = (&'static str, fn(usize) -> bool);

/// Some of the forty attributes, and whether the number of a picture has them.
const ATTRIBUTES: [Attribute; 3] = [
    ("5_o_Clock_Shadow", |number| number.is_multiple_of(2)),
    ("Eyeglasses", |number| number.is_multiple_of(3)),
    ("Young", |number| number > 4),
];

/// CelebA with 12 pictures, 4 of them held out, as its own site or another publication has it.
fn write_celeba(dir: &Path, csv: bool) {
    // The archive of the other publication holds the folder twice, one in the other.
    let pictures = dir.join(if csv { "img_align_celeba/img_align_celeba" } else { "img_align_celeba" });
    fs::create_dir_all(&pictures).unwrap();
    let names = ATTRIBUTES.map(|(name, _)| name);
    let (mut attributes, mut partition) = if csv {
        (format!("image_id,{}\n", names.join(",")), "image_id,partition\n".to_owned())
    } else {
        (format!("12\n{} \n", names.join(" ")), String::new())
    };
    for number in 1..=12 {
        let file = format!("{number:06}.jpg");
        // A face is redder than what is around it.
        let inside = |x: u32, y: u32| (25..153).contains(&x) && (45..173).contains(&y);
        let colour = |x, y| Rgb([20 + 200 * u8::from(inside(x, y)), 20, 10 * number as u8]);
        RgbImage::from_fn(178, 218, colour)
            .save_with_format(pictures.join(&file), ImageFormat::Jpeg)
            .unwrap();
        let values = ATTRIBUTES.map(|(_, has)| if has(number) { "1" } else { "-1" });
        let half = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2][number - 1];
        if csv {
            attributes.push_str(&format!("{file},{}\n", values.join(",")));
            partition.push_str(&format!("{file},{half}\n"));
        } else {
            let padded = values.map(|value| format!("{value:>2}"));
            attributes.push_str(&format!("{file} {}\n", padded.join(" ")));
            partition.push_str(&format!("{file} {half}\n"));
        }
    }
    let ending = if csv { "csv" } else { "txt" };
    fs::write(dir.join(format!("list_attr_celeba.{ending}")), attributes).unwrap();
    fs::write(dir.join(format!("list_eval_partition.{ending}")), partition).unwrap();
    fs::write(dir.join(format!("list_bbox_celeba.{ending}")), "not read").unwrap();
}

fn load(dir: &Path, fit: Fit, labels: Option<&Path>) -> Folder {
    let options = FolderOptions { fit, labels: labels.map(Path::to_path_buf) };
    load_folder(dir, &options, &|_, _| ()).unwrap()
}

fn values<'a>(set: &'a ImageSet, name: &str) -> &'a FactorValues {
    &set.factors().iter().find(|factor| factor.name == name).unwrap().values
}

#[test]
fn celeba_is_read_with_its_attributes_and_halves() {
    for csv in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        write_celeba(dir.path(), csv);
        assert_eq!(detect(dir.path()).unwrap(), infogan_data::Source::Pictures);
        let fit = Fit { crop: 128, ..Fit::to([3, 32, 32]) };
        let Folder { train, test, report } = load(dir.path(), fit, None);
        assert_eq!((train.len(), test.len(), report.ok), (8, 4, 12));
        assert!(report.rejected.is_empty() && report.warnings.is_empty(), "{report:?}");
        assert_eq!(report.sizes["178×218"], 12);
        assert!(train.labels().is_none() && report.classes.is_empty(), "one folder is no class");
        for (name, has) in ATTRIBUTES {
            for (set, numbers) in [(&train, 1..9), (&test, 9..13)] {
                let expected = numbers.map(|number| u16::from(has(number))).collect();
                let names = ["no", "yes"].map(str::to_owned).to_vec();
                assert_eq!(
                    *values(set, name),
                    FactorValues::Categorical { names, values: expected },
                    "{name}"
                );
            }
        }
        // Nothing is left of what lies around the face.
        assert!(train.picture(0)[..32 * 32].iter().all(|red| *red > 180));
        // The pictures alone, their table named.
        let table = dir.path().join(if csv { "list_attr_celeba.csv" } else { "list_attr_celeba.txt" });
        let alone = load(&dir.path().join("img_align_celeba"), fit, Some(&table));
        assert_eq!((alone.train.len(), alone.test.len(), alone.train.factors().len()), (8, 4, 3));
        // A list of other files is told and left, and a tenth is held out.
        let list = dir.path().join(if csv { "list_eval_partition.csv" } else { "list_eval_partition.txt" });
        for (content, reason) in
            [("other.jpg 0\n", "none of the pictures"), ("a b c\n", "in line 1 \"a b c\"")]
        {
            fs::write(&list, content).unwrap();
            let Folder { test, report, .. } = load(dir.path(), fit, None);
            assert_eq!((test.len(), report.warnings.len()), (2, 1));
            assert!(report.warnings[0].contains(reason), "{:?}", report.warnings);
        }
    }
}

/// `rendered_chairs/<id>/renders/image_NNN_pPPP_tTTT_rRRR.png`, two of the 1,393 chairs.
#[test]
fn chairs_have_their_views_as_factors_and_no_classes() {
    let dir = tempfile::tempdir().unwrap();
    let chairs = dir.path().join("rendered_chairs");
    for (chair, id) in
        ["1a6f615e8b1b5ae4dbbc9440457e303e", "f4f496adce3553caf0ffd86ebd2ce3c2"].into_iter().enumerate()
    {
        let renders = chairs.join(id).join("renders");
        fs::create_dir_all(&renders).unwrap();
        for number in 0..62 {
            let (elevation, rotation) = (if number < 31 { 20 } else { 30 }, number % 31 * 360 / 31);
            let inside = |x: u32, y: u32| (120..480).contains(&x) && (120..480).contains(&y);
            let colour = |x, y| if inside(x, y) { Rgb([150, 90, 10 * chair as u8]) } else { Rgb([255; 3]) };
            let file = format!("image_{number:03}_p{elevation:03}_t{rotation:03}_r096.png");
            // A chair of the published size is enough.
            let side = if number == 0 { 600 } else { 60 };
            let picture = RgbImage::from_fn(side, side, |x, y| colour(x * 600 / side, y * 600 / side));
            picture.save(renders.join(file)).unwrap();
        }
    }
    fs::write(chairs.join("all_chair_names.mat"), b"not read").unwrap();
    // From the top, from above it, and one chair alone.
    for (from, count) in [
        (chairs.clone(), 124),
        (dir.path().to_path_buf(), 124),
        (chairs.join("f4f496adce3553caf0ffd86ebd2ce3c2"), 62),
    ] {
        let report = check_folder(&from, None, &|_, _| ()).unwrap();
        assert_eq!((report.ok, report.classes.len(), report.rejected.len()), (count, 0, 0));
        assert_eq!(report.attributes.keys().collect::<Vec<_>>(), ["elevation", "rotation"]);
        assert!(!report.warnings.iter().any(|warning| warning.contains("class")), "{:?}", report.warnings);
    }
    let Folder { train, test, report } = load(&chairs, Fit { crop: 360, ..Fit::to([1, 64, 64]) }, None);
    assert_eq!((train.len(), test.len(), train.labels()), (111, 13, None));
    assert!(
        report.warnings.iter().any(|one| one.contains("122 of 124 pictures are smaller than the 360×360"))
    );
    let FactorValues::Categorical { names, .. } = values(&train, "elevation") else {
        panic!("two elevations")
    };
    assert_eq!(names, &["20", "30"]);
    let FactorValues::Continuous(rotation) = values(&train, "rotation") else { panic!("numbers") };
    assert!(rotation.iter().all(|degrees| (0.0..360.0).contains(degrees)));
    // What is cut out of the first, all chair.
    assert!(train.picture(0).iter().all(|value| *value < 110), "{:?}", &train.picture(0)[..9]);
    // A file that is no such rendering makes classes of the folders again.
    fs::copy(
        chairs.join("1a6f615e8b1b5ae4dbbc9440457e303e/renders/image_000_p020_t000_r096.png"),
        chairs.join("1a6f615e8b1b5ae4dbbc9440457e303e/photo.png"),
    )
    .unwrap();
    assert_eq!(check_folder(&chairs, None, &|_, _| ()).unwrap().classes.len(), 2);
}

/// Renderings of faces lie flat, named by subject and view.
#[test]
fn faces_in_a_flat_folder_have_no_classes() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..20 {
        let file = format!("{:05}_20061015_{number:05}_neutral_face05.png", number / 4);
        GrayImage::from_fn(48, 64, |x, y| Luma([(x + y) as u8 + number as u8]))
            .save(dir.path().join(file))
            .unwrap();
    }
    let Folder { train, test, report } = load(dir.path(), Fit::to([1, 32, 32]), None);
    assert_eq!((train.len(), test.len(), train.labels(), train.factors().len()), (18, 2, None, 0));
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}
