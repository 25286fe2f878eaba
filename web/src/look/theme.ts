// Colours, type and Mantine's settings: the tokens of the portal's look, in one place.
import {
  createTheme,
  defaultVariantColorsResolver,
  type CSSVariablesResolver,
  type MantineColorsTuple,
  type MantineTheme,
  type VariantColorsResolver,
} from "@mantine/core";

const petrol: MantineColorsTuple = [
  "#edf8fa",
  "#d9f0f5",
  "#b6e2ec",
  "#8ed1df",
  "#63bbcd",
  "#3da1b4",
  "#208495",
  "#0b6876",
  "#02505c",
  "#033740",
];
const vermilion: MantineColorsTuple = [
  "#fff1ec",
  "#ffe1d7",
  "#ffc4b2",
  "#ffa38a",
  "#ff8062",
  "#eb5f40",
  "#c64427",
  "#a03016",
  "#7d220d",
  "#581608",
];
const amber: MantineColorsTuple = [
  "#fff4ea",
  "#fee6d3",
  "#fbd0aa",
  "#f4b57e",
  "#e59950",
  "#cd7c26",
  "#ab6100",
  "#894a00",
  "#6b3700",
  "#4a2600",
];
const marigold: MantineColorsTuple = [
  "#fbf5e7",
  "#f7eacc",
  "#f0d79b",
  "#f1c047",
  "#e3b233",
  "#bb8a00",
  "#9b6d00",
  "#7c5500",
  "#604000",
  "#432c00",
];
const iris: MantineColorsTuple = [
  "#f4f5ff",
  "#e8e9ff",
  "#d4d4ff",
  "#bebdfb",
  "#a5a2ef",
  "#8b87d8",
  "#706bb5",
  "#575392",
  "#423f72",
  "#2d2b50",
];
const gray: MantineColorsTuple = [
  "#f4f8f8",
  "#ecf1f2",
  "#dee5e6",
  "#cdd6d7",
  "#b2bdbe",
  "#829092",
  "#566465",
  "#455354",
  "#2b3839",
  "#152022",
];
const dark: MantineColorsTuple = [
  "#dfe8e9",
  "#c1cdce",
  "#a3b1b3",
  "#7f8f90",
  "#415152",
  "#2c393b",
  "#1f2a2b",
  "#161f20",
  "#0d1516",
  "#070c0d",
];

// Mantine picks the text on a filled button from the light shade, which fails on the pale fill of the
// dark scheme. These variables know the scheme.
const variantColorResolver: VariantColorsResolver = (input) => {
  const colors = defaultVariantColorsResolver(input);
  if (input.variant === "filled") {
    return { ...colors, color: "var(--sc-on-fill)" };
  }
  if (input.variant === "subtle" && (input.color === undefined || input.color === "petrol")) {
    return { ...colors, color: "var(--sc-accent)", hover: "var(--sc-accent-soft)" };
  }
  if (input.variant === "subtle" && input.color === "vermilion") {
    return { ...colors, color: "var(--sc-bad)", hover: "var(--sc-bad-soft)" };
  }
  return colors;
};

export const theme = createTheme({
  colors: {
    petrol,
    vermilion,
    amber,
    marigold,
    iris,
    gray,
    dark,
    green: petrol,
    teal: petrol,
    red: vermilion,
    yellow: amber,
  },
  primaryColor: "petrol",
  primaryShade: { light: 7, dark: 3 },
  white: "#ffffff",
  black: "#152022",
  respectReducedMotion: true,
  cursorType: "pointer",
  variantColorResolver,
  fontFamily: "'Hanken Grotesk Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'Spline Sans Mono Variable', ui-monospace, monospace",
  fontSizes: { xs: "0.8125rem", sm: "0.875rem", md: "0.9375rem", lg: "1.0625rem", xl: "1.25rem" },
  spacing: { xs: "8px", sm: "12px", md: "16px", lg: "24px", xl: "32px" },
  radius: { xs: "3px", sm: "5px", md: "8px", lg: "12px", xl: "18px" },
  defaultRadius: "md",
  headings: {
    fontWeight: "640",
    sizes: {
      h1: { fontSize: "1.625rem", lineHeight: "1.22" },
      h2: { fontSize: "1.125rem", lineHeight: "1.3" },
      h3: { fontSize: "0.9375rem", lineHeight: "1.4" },
    },
  },
  components: {
    // "compact-md" is the small button of notes and rows.
    Button: {
      vars: (_theme: MantineTheme, props: { size?: unknown }) =>
        props.size === "compact-md"
          ? { root: { "--button-height": "30px", "--button-fz": "0.875rem", "--button-padding-x": "13px" } }
          : { root: {} },
    },
    InputWrapper: { defaultProps: { withAsterisk: false } }, // what is optional says so
    Checkbox: { defaultProps: { iconColor: "var(--sc-on-fill)" } },
    Radio: { defaultProps: { iconColor: "var(--sc-on-fill)" } },
    // Their <header> stands outside of the page, where it would count as a second banner.
    Modal: { defaultProps: { attributes: { header: { role: "presentation" } } } },
    Drawer: { defaultProps: { attributes: { header: { role: "presentation" } } } },
    Select: { defaultProps: { allowDeselect: false, checkIconPosition: "right" } },
  },
});

const light: Record<string, string> = {
  "--mantine-color-body": "#ffffff",
  "--mantine-color-text": "#152022",
  "--mantine-color-dimmed": "#566465",
  "--mantine-color-placeholder": "#566465",
  "--mantine-color-default-border": "#7f8f91",
  "--mantine-color-error": "#a03016",
  "--mantine-color-anchor": "#0b6876",
  "--sc-sheet": "#ffffff",
  "--sc-ground": "#e3eaeb",
  "--sc-well": "#f2f6f6",
  "--sc-rule": "#dde4e5",
  "--sc-ink": "#152022",
  "--sc-none": "#566465",
  "--sc-border": "#7f8f91",
  "--sc-accent": "#0b6876",
  "--sc-on-fill": "#ffffff",
  "--sc-accent-soft": "#dff0f3",
  "--sc-good": "#0b6876",
  "--sc-bad": "#a03016",
  "--sc-warn": "#894a00",
  "--sc-bad-soft": "#fdece6",
  "--sc-warn-soft": "#fdf0e2",
  "--sc-part-sidecard": "#829092",
  "--sc-part-source": "#208495",
  "--sc-part-livesupporti": "#706bb5",
  "--sc-late": "rgb(160 48 22 / 0.07)",
  "--sc-card-paper": "#fefbf1",
  "--sc-card-rule": "#e9dfc4",
  "--sc-card-edge": "#e2d6b4",
  "--sc-card-ink": "#1d1a10",
  "--sc-card-label": "#655d4a",
  "--sc-card-shadow": "0 1px 2px rgb(60 45 0 / 0.1), 0 14px 28px -12px rgb(3 40 46 / 0.28)",
  "--sc-menu-shadow": "0 2px 4px rgb(3 40 46 / 0.06), 0 10px 24px -8px rgb(3 40 46 / 0.16)",
};

const night: Record<string, string> = {
  "--mantine-color-body": "#161f20",
  "--mantine-color-text": "#dfe8e9",
  "--mantine-color-dimmed": "#a3b1b3",
  "--mantine-color-placeholder": "#a3b1b3",
  "--mantine-color-default": "#1d2829",
  "--mantine-color-default-hover": "#243031",
  "--mantine-color-default-border": "#718284",
  "--mantine-color-error": "#ff9478",
  "--mantine-color-anchor": "#8ed1df",
  "--sc-sheet": "#161f20",
  "--sc-ground": "#0b1213",
  "--sc-well": "#1d2829",
  "--sc-rule": "#2c393b",
  "--sc-ink": "#dfe8e9",
  "--sc-none": "#a3b1b3",
  "--sc-border": "#718284",
  "--sc-accent": "#8ed1df",
  "--sc-on-fill": "#0b1213",
  "--sc-accent-soft": "#16363c",
  "--sc-good": "#7cc8d7",
  "--sc-bad": "#ff9478",
  "--sc-warn": "#f4b57e",
  "--sc-bad-soft": "#3a201a",
  "--sc-warn-soft": "#38281a",
  "--sc-part-sidecard": "#7f8f90",
  "--sc-part-source": "#63bbcd",
  "--sc-part-livesupporti": "#a5a2ef",
  "--sc-late": "rgb(255 148 120 / 0.09)",
  "--sc-card-paper": "#2f2a1e",
  "--sc-card-rule": "#463f2e",
  "--sc-card-edge": "#4d4532",
  "--sc-card-ink": "#f3eee1",
  "--sc-card-label": "#bdb49f",
  "--sc-card-shadow": "0 1px 2px rgb(0 0 0 / 0.4), 0 16px 32px -12px rgb(0 0 0 / 0.6)",
  "--sc-menu-shadow": "0 2px 4px rgb(0 0 0 / 0.3), 0 10px 24px -8px rgb(0 0 0 / 0.6)",
};

export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: { "--sc-mark": "#f1c047", "--sc-mark-text": "#2b2000" },
  light,
  dark: night,
});
