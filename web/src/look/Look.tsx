// Wraps a page in the theme. Both entries, portal and API docs, start here.
import "./mantine.css";
import "@fontsource-variable/hanken-grotesk/wght.css";
import "@fontsource-variable/spline-sans-mono/wght.css";
import "./base.css";
import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import type { ReactNode } from "react";
import { cssVariablesResolver, theme } from "./theme";

// public/scheme.js reads the same key before the first paint.
const scheme = localStorageColorSchemeManager({ key: "sidecard.scheme" });

// The content security policy admits style sheets that scripts write by this answer's nonce alone. Mantine asks for it;
// the library that keeps a page from scrolling below a dialog looks for webpack's name of it.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
(globalThis as { __webpack_nonce__?: string }).__webpack_nonce__ = nonce;

export function Look({ children }: { children: ReactNode }) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariablesResolver}
      colorSchemeManager={scheme}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      {children}
    </MantineProvider>
  );
}
