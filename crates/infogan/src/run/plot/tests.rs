use super::*;

fn small() -> Plot {
    Plot {
        title: "Bounds".into(),
        x_label: "step".into(),
        y_label: "nats".into(),
        series: vec![
            Series {
                name: "c1".into(),
                points: vec![(0.0, 0.0), (100.0, 1.5), (200.0, f64::NAN), (300.0, 2.0), (400.0, 2.25)],
                ..Series::default()
            },
            Series {
                name: "c2".into(),
                points: vec![(0.0, 0.1), (400.0, 0.5)],
                dashed: true,
                ..Series::default()
            },
        ],
        references: vec![Reference {
            label: "H(c1) = 2.303".into(),
            value: std::f64::consts::LN_10,
            like: Some(0),
        }],
        y_range: Some((0.0, 2.5)),
    }
}

/// The whole picture, byte by byte. If a change is meant, look at the new picture and put it in place of the
/// old: `golden.svg` is what this test prints.
#[test]
fn a_small_plot_is_as_it_was() {
    let svg = small().svg();
    assert!(svg == include_str!("golden.svg"), "the plot changed; it is now\n{svg}");
}

#[test]
fn breaks_split_the_line_and_lonely_points_are_dots() {
    let line = |points: &[(f64, f64)]| {
        let series = vec![Series { points: points.to_vec(), ..Series::default() }];
        Plot { series, ..Plot::default() }.svg()
    };
    let moves = |svg: &str| {
        let body = svg.rsplit("overflow").next().unwrap();
        (body.matches('M').count(), body.matches('L').count(), body.matches("<circle").count())
    };
    assert_eq!(moves(&line(&[(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)])), (1, 2, 0));
    let broken = [(0.0, 1.0), (1.0, 2.0), (2.0, f64::INFINITY), (3.0, 1.0), (4.0, 1.0)];
    assert_eq!(moves(&line(&broken)), (2, 2, 0));
    assert_eq!(moves(&line(&[(0.0, 1.0), (1.0, f64::NAN), (2.0, 1.0)])), (0, 0, 2));
}

#[test]
fn odd_values_never_reach_the_file() {
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 0.0, -0.0, 1e-300];
    let points = odd.iter().flat_map(|&x| odd.iter().map(move |&y| (x, y))).collect();
    let references = odd.iter().map(|&value| Reference { value, ..Reference::default() }).collect();
    for y_range in [None, Some((f64::NAN, 1.0)), Some((1.0, 0.0)), Some((0.0, f64::INFINITY))] {
        let plot = Plot {
            series: vec![Series { points: Vec::clone(&points), ..Series::default() }],
            references: Vec::clone(&references),
            y_range,
            ..Plot::default()
        };
        let svg = plot.svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
    assert!(Plot::default().svg().ends_with("</svg>\n"));
}

#[test]
fn names_are_escaped() {
    let mut plot = small();
    plot.title = "a<b & \"c\"".into();
    plot.series[0].name = "<script>".into();
    plot.references[0].label = "H(<c1>)".into();
    plot.x_label = "'x'".into();
    let svg = plot.svg();
    assert!(svg.contains("aria-label=\"a&lt;b &amp; &quot;c&quot;\""));
    assert!(svg.contains("&lt;script&gt;") && !svg.contains("<script"));
    assert!(svg.contains("H(&lt;c1&gt;)") && svg.contains("&#39;x&#39;"));
    assert_eq!(escape("\u{0}\n"), "\u{fffd}\n");
}

#[test]
fn names_of_close_levels_keep_apart() {
    let level = |value| Reference { label: "level".into(), value, like: None };
    let plot = Plot { references: vec![level(1.0), level(1.001), level(0.0)], ..Plot::default() };
    let heights: Vec<f64> = plot
        .svg()
        .lines()
        .filter(|line| line.contains(">level<"))
        .map(|line| {
            let text = line.split("<text").nth(1).unwrap();
            text.split("y=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
        })
        .collect();
    assert_eq!(heights.len(), 3);
    assert!(heights.windows(2).all(|pair| pair[1] - pair[0] >= 14.0), "{heights:?}");
}

#[test]
fn long_series_are_thinned() {
    let points = (0..50_000).map(|x| (f64::from(x), f64::from(x).sin())).collect();
    let series = vec![Series { points, ..Series::default() }];
    assert!(Plot { series, ..Plot::default() }.svg().matches('L').count() <= 1000);
}
