// The API's documentation: reads /openapi.yaml and shows it.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Reference } from "./docs/Reference";
import { Look } from "./look/Look";

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Look>
      <Reference />
    </Look>
  </StrictMode>,
);
