/* Well-known option names with their customary titles, our descriptions, and the usual scan modes.

   SPDX-License-Identifier: MIT
   Copyright (c) 2026 The PySANE authors

   Source: SANE standard 1.06, section 4.5 (options of fixed meaning); the other names and titles
   are those that SANE backends share, so that translations made for one serve all. The
   descriptions are our own.

   Define SANE_I18N before including this file to have titles, descriptions and modes translated. */

#ifndef saneopts_h
#define saneopts_h

#ifndef SANE_I18N
#define SANE_I18N(text) text
#endif

/* Option 0 and the groups. */

#define SANE_NAME_NUM_OPTIONS ""
#define SANE_TITLE_NUM_OPTIONS SANE_I18N("Number of options")
#define SANE_DESC_NUM_OPTIONS \
  SANE_I18N("How many options this device has, counting this read-only one.")

#define SANE_NAME_STANDARD "standard"
#define SANE_TITLE_STANDARD SANE_I18N("Standard")
#define SANE_DESC_STANDARD SANE_I18N("The settings that most scans need.")

#define SANE_NAME_GEOMETRY "geometry"
#define SANE_TITLE_GEOMETRY SANE_I18N("Geometry")
#define SANE_DESC_GEOMETRY SANE_I18N("Which part of the scan bed is scanned, and its size.")

#define SANE_NAME_ENHANCEMENT "enhancement"
#define SANE_TITLE_ENHANCEMENT SANE_I18N("Enhancement")
#define SANE_DESC_ENHANCEMENT SANE_I18N("Settings that change how the image looks.")

#define SANE_NAME_ADVANCED "advanced"
#define SANE_TITLE_ADVANCED SANE_I18N("Advanced")
#define SANE_DESC_ADVANCED SANE_I18N("Settings for special purposes.")

#define SANE_NAME_SENSORS "sensors"
#define SANE_TITLE_SENSORS SANE_I18N("Sensors")
#define SANE_DESC_SENSORS SANE_I18N("What the buttons and detectors of the device report.")

/* Preview, mode and source. */

#define SANE_NAME_PREVIEW "preview"
#define SANE_TITLE_PREVIEW SANE_I18N("Preview")
#define SANE_DESC_PREVIEW \
  SANE_I18N("Scan for a quick look: speed matters more than quality. No other option changes.")

#define SANE_NAME_GRAY_PREVIEW "preview-in-gray"
#define SANE_TITLE_GRAY_PREVIEW SANE_I18N("Force monochrome preview")
#define SANE_DESC_GRAY_PREVIEW \
  SANE_I18N("Scan previews in gray even when the mode is a colour one, because that is faster.")

#define SANE_NAME_BIT_DEPTH "depth"
#define SANE_TITLE_BIT_DEPTH SANE_I18N("Bit depth")
#define SANE_DESC_BIT_DEPTH \
  SANE_I18N("Bits of each sample: 1 gives pure black and white, 8 and 16 give shades.")

#define SANE_NAME_SCAN_MODE "mode"
#define SANE_TITLE_SCAN_MODE SANE_I18N("Scan mode")
#define SANE_DESC_SCAN_MODE SANE_I18N("Whether the image is black and white, gray or in colour.")

#define SANE_NAME_SCAN_SPEED "speed"
#define SANE_TITLE_SCAN_SPEED SANE_I18N("Scan speed")
#define SANE_DESC_SCAN_SPEED \
  SANE_I18N("How fast the device scans. Slower settings may give better images.")

#define SANE_NAME_SCAN_SOURCE "source"
#define SANE_TITLE_SCAN_SOURCE SANE_I18N("Scan source")
#define SANE_DESC_SCAN_SOURCE \
  SANE_I18N("Where the original lies, for example on the glass or in the document feeder.")

#define SANE_NAME_BACKTRACK "backtrack"
#define SANE_TITLE_BACKTRACK SANE_I18N("Force backtracking")
#define SANE_DESC_BACKTRACK \
  SANE_I18N("Let the carriage stop and move back whenever the computer is too slow.")

/* Scan area. */

#define SANE_NAME_SCAN_TL_X "tl-x"
#define SANE_TITLE_SCAN_TL_X SANE_I18N("Top-left x")
#define SANE_DESC_SCAN_TL_X \
  SANE_I18N("Left edge of the scan area, measured from the left edge of the bed.")

#define SANE_NAME_SCAN_TL_Y "tl-y"
#define SANE_TITLE_SCAN_TL_Y SANE_I18N("Top-left y")
#define SANE_DESC_SCAN_TL_Y \
  SANE_I18N("Upper edge of the scan area, measured from the upper edge of the bed.")

#define SANE_NAME_SCAN_BR_X "br-x"
#define SANE_TITLE_SCAN_BR_X SANE_I18N("Bottom-right x")
#define SANE_DESC_SCAN_BR_X \
  SANE_I18N("Right edge of the scan area, measured from the left edge of the bed.")

#define SANE_NAME_SCAN_BR_Y "br-y"
#define SANE_TITLE_SCAN_BR_Y SANE_I18N("Bottom-right y")
#define SANE_DESC_SCAN_BR_Y \
  SANE_I18N("Lower edge of the scan area, measured from the upper edge of the bed.")

#define SANE_NAME_PAGE_WIDTH "page-width"
#define SANE_TITLE_PAGE_WIDTH SANE_I18N("Page width")
#define SANE_DESC_PAGE_WIDTH SANE_I18N("Width of the paper. Feeders need it to centre the sheet.")

#define SANE_NAME_PAGE_HEIGHT "page-height"
#define SANE_TITLE_PAGE_HEIGHT SANE_I18N("Page height")
#define SANE_DESC_PAGE_HEIGHT \
  SANE_I18N("Length of the paper. Feeders need it to find the end of the sheet.")

/* Resolution. */

#define SANE_NAME_SCAN_RESOLUTION "resolution"
#define SANE_TITLE_SCAN_RESOLUTION SANE_I18N("Scan resolution")
#define SANE_DESC_SCAN_RESOLUTION \
  SANE_I18N("How finely the original is sampled, in pixels per inch.")

#define SANE_NAME_SCAN_X_RESOLUTION "x-resolution"
#define SANE_TITLE_SCAN_X_RESOLUTION SANE_I18N("X-resolution")
#define SANE_DESC_SCAN_X_RESOLUTION SANE_I18N("Pixels per inch across the page.")

#define SANE_NAME_SCAN_Y_RESOLUTION "y-resolution"
#define SANE_TITLE_SCAN_Y_RESOLUTION SANE_I18N("Y-resolution")
#define SANE_DESC_SCAN_Y_RESOLUTION SANE_I18N("Pixels per inch along the page.")

#define SANE_NAME_RESOLUTION_BIND "resolution-bind"
#define SANE_TITLE_RESOLUTION_BIND SANE_I18N("Bind X and Y resolution")
#define SANE_DESC_RESOLUTION_BIND SANE_I18N("Keep the resolution the same in both directions.")

#define SANE_NAME_DOR "double-res"
#define SANE_TITLE_DOR SANE_I18N("Double Optical Resolution")
#define SANE_DESC_DOR \
  SANE_I18N("Double the optical resolution by means of a second lens or a finer step.")

/* Gamma tables. */

#define SANE_NAME_CUSTOM_GAMMA "custom-gamma"
#define SANE_TITLE_CUSTOM_GAMMA SANE_I18N("Use custom gamma table")
#define SANE_DESC_CUSTOM_GAMMA \
  SANE_I18N("Use a gamma table of your own instead of the one built into the device.")

#define SANE_NAME_GAMMA_VECTOR "gamma-table"
#define SANE_TITLE_GAMMA_VECTOR SANE_I18N("Image intensity")
#define SANE_DESC_GAMMA_VECTOR \
  SANE_I18N("Table that turns each input intensity into an output intensity, for all channels.")

#define SANE_NAME_GAMMA_VECTOR_R "red-gamma-table"
#define SANE_TITLE_GAMMA_VECTOR_R SANE_I18N("Red intensity")
#define SANE_DESC_GAMMA_VECTOR_R \
  SANE_I18N("Table that turns each input intensity of red into an output intensity.")

#define SANE_NAME_GAMMA_VECTOR_G "green-gamma-table"
#define SANE_TITLE_GAMMA_VECTOR_G SANE_I18N("Green intensity")
#define SANE_DESC_GAMMA_VECTOR_G \
  SANE_I18N("Table that turns each input intensity of green into an output intensity.")

#define SANE_NAME_GAMMA_VECTOR_B "blue-gamma-table"
#define SANE_TITLE_GAMMA_VECTOR_B SANE_I18N("Blue intensity")
#define SANE_DESC_GAMMA_VECTOR_B \
  SANE_I18N("Table that turns each input intensity of blue into an output intensity.")

#define SANE_NAME_ANALOG_GAMMA "analog-gamma"
#define SANE_TITLE_ANALOG_GAMMA SANE_I18N("Analog gamma correction")
#define SANE_DESC_ANALOG_GAMMA \
  SANE_I18N("Gamma correction made before the signal is digitised, for all channels.")

#define SANE_NAME_ANALOG_GAMMA_R "analog-gamma-r"
#define SANE_TITLE_ANALOG_GAMMA_R SANE_I18N("Analog gamma red")
#define SANE_DESC_ANALOG_GAMMA_R \
  SANE_I18N("Gamma correction of red made before the signal is digitised.")

#define SANE_NAME_ANALOG_GAMMA_G "analog-gamma-g"
#define SANE_TITLE_ANALOG_GAMMA_G SANE_I18N("Analog gamma green")
#define SANE_DESC_ANALOG_GAMMA_G \
  SANE_I18N("Gamma correction of green made before the signal is digitised.")

#define SANE_NAME_ANALOG_GAMMA_B "analog-gamma-b"
#define SANE_TITLE_ANALOG_GAMMA_B SANE_I18N("Analog gamma blue")
#define SANE_DESC_ANALOG_GAMMA_B \
  SANE_I18N("Gamma correction of blue made before the signal is digitised.")

#define SANE_NAME_ANALOG_GAMMA_BIND "analog-gamma-bind"
#define SANE_TITLE_ANALOG_GAMMA_BIND SANE_I18N("Bind analog gamma")
#define SANE_DESC_ANALOG_GAMMA_BIND SANE_I18N("Use one analog gamma value for red, green and blue.")

/* Brightness, contrast, levels. */

#define SANE_NAME_BRIGHTNESS "brightness"
#define SANE_TITLE_BRIGHTNESS SANE_I18N("Brightness")
#define SANE_DESC_BRIGHTNESS SANE_I18N("Makes the whole image lighter or darker.")

#define SANE_NAME_CONTRAST "contrast"
#define SANE_TITLE_CONTRAST SANE_I18N("Contrast")
#define SANE_DESC_CONTRAST \
  SANE_I18N("Makes the difference between light and dark parts larger or smaller.")

#define SANE_NAME_THRESHOLD "threshold"
#define SANE_TITLE_THRESHOLD SANE_I18N("Threshold")
#define SANE_DESC_THRESHOLD \
  SANE_I18N("Intensity at which a pixel counts as white rather than black.")

#define SANE_NAME_BLACK_LEVEL "black-level"
#define SANE_TITLE_BLACK_LEVEL SANE_I18N("Black level")
#define SANE_DESC_BLACK_LEVEL SANE_I18N("Input intensity that becomes black.")

#define SANE_NAME_WHITE_LEVEL "white-level"
#define SANE_TITLE_WHITE_LEVEL SANE_I18N("White level")
#define SANE_DESC_WHITE_LEVEL SANE_I18N("Input intensity that becomes white.")

#define SANE_NAME_WHITE_LEVEL_R "white-level-r"
#define SANE_TITLE_WHITE_LEVEL_R SANE_I18N("White level for red")
#define SANE_DESC_WHITE_LEVEL_R SANE_I18N("Input intensity of red that becomes full red.")

#define SANE_NAME_WHITE_LEVEL_G "white-level-g"
#define SANE_TITLE_WHITE_LEVEL_G SANE_I18N("White level for green")
#define SANE_DESC_WHITE_LEVEL_G SANE_I18N("Input intensity of green that becomes full green.")

#define SANE_NAME_WHITE_LEVEL_B "white-level-b"
#define SANE_TITLE_WHITE_LEVEL_B SANE_I18N("White level for blue")
#define SANE_DESC_WHITE_LEVEL_B SANE_I18N("Input intensity of blue that becomes full blue.")

#define SANE_NAME_SHADOW "shadow"
#define SANE_TITLE_SHADOW SANE_I18N("Shadow")
#define SANE_DESC_SHADOW SANE_I18N("Everything at or below this intensity is shown as black.")

#define SANE_NAME_SHADOW_R "shadow-r"
#define SANE_TITLE_SHADOW_R SANE_I18N("Shadow for red")
#define SANE_DESC_SHADOW_R \
  SANE_I18N("Everything at or below this intensity of red is shown without red.")

#define SANE_NAME_SHADOW_G "shadow-g"
#define SANE_TITLE_SHADOW_G SANE_I18N("Shadow for green")
#define SANE_DESC_SHADOW_G \
  SANE_I18N("Everything at or below this intensity of green is shown without green.")

#define SANE_NAME_SHADOW_B "shadow-b"
#define SANE_TITLE_SHADOW_B SANE_I18N("Shadow for blue")
#define SANE_DESC_SHADOW_B \
  SANE_I18N("Everything at or below this intensity of blue is shown without blue.")

#define SANE_NAME_HIGHLIGHT "highlight"
#define SANE_TITLE_HIGHLIGHT SANE_I18N("Highlight")
#define SANE_DESC_HIGHLIGHT SANE_I18N("Everything at or above this intensity is shown as white.")

#define SANE_NAME_HIGHLIGHT_R "highlight-r"
#define SANE_TITLE_HIGHLIGHT_R SANE_I18N("Highlight for red")
#define SANE_DESC_HIGHLIGHT_R \
  SANE_I18N("Everything at or above this intensity of red is shown as full red.")

#define SANE_NAME_HIGHLIGHT_G "highlight-g"
#define SANE_TITLE_HIGHLIGHT_G SANE_I18N("Highlight for green")
#define SANE_DESC_HIGHLIGHT_G \
  SANE_I18N("Everything at or above this intensity of green is shown as full green.")

#define SANE_NAME_HIGHLIGHT_B "highlight-b"
#define SANE_TITLE_HIGHLIGHT_B SANE_I18N("Highlight for blue")
#define SANE_DESC_HIGHLIGHT_B \
  SANE_I18N("Everything at or above this intensity of blue is shown as full blue.")

#define SANE_NAME_HUE "hue"
#define SANE_TITLE_HUE SANE_I18N("Hue")
#define SANE_DESC_HUE SANE_I18N("Turns the colours around the colour wheel.")

#define SANE_NAME_SATURATION "saturation"
#define SANE_TITLE_SATURATION SANE_I18N("Saturation")
#define SANE_DESC_SATURATION SANE_I18N("Makes colours stronger or paler.")

#define SANE_NAME_RGB_BIND "rgb-bind"
#define SANE_TITLE_RGB_BIND SANE_I18N("Bind RGB")
#define SANE_DESC_RGB_BIND SANE_I18N("Use one set of values for red, green and blue.")

#define SANE_NAME_NEGATIVE "negative"
#define SANE_TITLE_NEGATIVE SANE_I18N("Negative")
#define SANE_DESC_NEGATIVE SANE_I18N("Invert the image, as needed for film negatives.")

/* Halftones. */

#define SANE_NAME_HALFTONE "halftoning"
#define SANE_TITLE_HALFTONE SANE_I18N("Halftoning")
#define SANE_DESC_HALFTONE \
  SANE_I18N("Imitate shades of gray with patterns of black and white dots.")

#define SANE_NAME_HALFTONE_DIMENSION "halftone-size"
#define SANE_TITLE_HALFTONE_DIMENSION SANE_I18N("Halftone pattern size")
#define SANE_DESC_HALFTONE_DIMENSION \
  SANE_I18N("Width and height of the pattern that imitates shades.")

#define SANE_NAME_HALFTONE_PATTERN "halftone-pattern"
#define SANE_TITLE_HALFTONE_PATTERN SANE_I18N("Halftone pattern")
#define SANE_DESC_HALFTONE_PATTERN \
  SANE_I18N("Pattern that imitates shades in black-and-white images.")

#define SANE_NAME_GRAIN_SIZE "grain"
#define SANE_TITLE_GRAIN_SIZE SANE_I18N("Grain size")
#define SANE_DESC_GRAIN_SIZE \
  SANE_I18N("Size of the smallest dot. Larger dots give a coarser but clearer image.")

/* Lamp, exposure, calibration, focus. */

#define SANE_NAME_QUALITY_CAL "quality-cal"
#define SANE_TITLE_QUALITY_CAL SANE_I18N("Quality calibration")
#define SANE_DESC_QUALITY_CAL SANE_I18N("Calibrate with more care, which takes longer.")

#define SANE_NAME_WARMUP "warmup"
#define SANE_TITLE_WARMUP SANE_I18N("Warmup lamp")
#define SANE_DESC_WARMUP SANE_I18N("Wait before scanning until the lamp gives steady light.")

#define SANE_NAME_CAL_EXPOS_TIME "cal-exposure-time"
#define SANE_TITLE_CAL_EXPOS_TIME SANE_I18N("Cal. exposure-time")
#define SANE_DESC_CAL_EXPOS_TIME SANE_I18N("How long the sensor is exposed during calibration.")

#define SANE_NAME_CAL_EXPOS_TIME_R "cal-exposure-time-r"
#define SANE_TITLE_CAL_EXPOS_TIME_R SANE_I18N("Cal. exposure-time for red")
#define SANE_DESC_CAL_EXPOS_TIME_R \
  SANE_I18N("How long the sensor is exposed to red during calibration.")

#define SANE_NAME_CAL_EXPOS_TIME_G "cal-exposure-time-g"
#define SANE_TITLE_CAL_EXPOS_TIME_G SANE_I18N("Cal. exposure-time for green")
#define SANE_DESC_CAL_EXPOS_TIME_G \
  SANE_I18N("How long the sensor is exposed to green during calibration.")

#define SANE_NAME_CAL_EXPOS_TIME_B "cal-exposure-time-b"
#define SANE_TITLE_CAL_EXPOS_TIME_B SANE_I18N("Cal. exposure-time for blue")
#define SANE_DESC_CAL_EXPOS_TIME_B \
  SANE_I18N("How long the sensor is exposed to blue during calibration.")

#define SANE_NAME_SCAN_EXPOS_TIME "scan-exposure-time"
#define SANE_TITLE_SCAN_EXPOS_TIME SANE_I18N("Scan exposure-time")
#define SANE_DESC_SCAN_EXPOS_TIME SANE_I18N("How long the sensor is exposed during the scan.")

#define SANE_NAME_SCAN_EXPOS_TIME_R "scan-exposure-time-r"
#define SANE_TITLE_SCAN_EXPOS_TIME_R SANE_I18N("Scan exposure-time for red")
#define SANE_DESC_SCAN_EXPOS_TIME_R \
  SANE_I18N("How long the sensor is exposed to red during the scan.")

#define SANE_NAME_SCAN_EXPOS_TIME_G "scan-exposure-time-g"
#define SANE_TITLE_SCAN_EXPOS_TIME_G SANE_I18N("Scan exposure-time for green")
#define SANE_DESC_SCAN_EXPOS_TIME_G \
  SANE_I18N("How long the sensor is exposed to green during the scan.")

#define SANE_NAME_SCAN_EXPOS_TIME_B "scan-exposure-time-b"
#define SANE_TITLE_SCAN_EXPOS_TIME_B SANE_I18N("Scan exposure-time for blue")
#define SANE_DESC_SCAN_EXPOS_TIME_B \
  SANE_I18N("How long the sensor is exposed to blue during the scan.")

#define SANE_NAME_SELECT_EXPOSURE_TIME "select-exposure-time"
#define SANE_TITLE_SELECT_EXPOSURE_TIME SANE_I18N("Set exposure-time")
#define SANE_DESC_SELECT_EXPOSURE_TIME \
  SANE_I18N("Choose the exposure times yourself instead of leaving them to the device.")

#define SANE_NAME_CAL_LAMP_DEN "cal-lamp-density"
#define SANE_TITLE_CAL_LAMP_DEN SANE_I18N("Cal. lamp density")
#define SANE_DESC_CAL_LAMP_DEN SANE_I18N("How bright the lamp is during calibration.")

#define SANE_NAME_SCAN_LAMP_DEN "scan-lamp-density"
#define SANE_TITLE_SCAN_LAMP_DEN SANE_I18N("Scan lamp density")
#define SANE_DESC_SCAN_LAMP_DEN SANE_I18N("How bright the lamp is during the scan.")

#define SANE_NAME_SELECT_LAMP_DENSITY "select-lamp-density"
#define SANE_TITLE_SELECT_LAMP_DENSITY SANE_I18N("Set lamp density")
#define SANE_DESC_SELECT_LAMP_DENSITY \
  SANE_I18N("Choose the lamp brightness yourself instead of leaving it to the device.")

#define SANE_NAME_LAMP_OFF_AT_EXIT "lamp-off-at-exit"
#define SANE_TITLE_LAMP_OFF_AT_EXIT SANE_I18N("Lamp off at exit")
#define SANE_DESC_LAMP_OFF_AT_EXIT \
  SANE_I18N("Switch the lamp off when the program closes the device.")

#define SANE_NAME_FOCUS "focus"
#define SANE_TITLE_FOCUS SANE_I18N("Focus position")
#define SANE_DESC_FOCUS SANE_I18N("Where the lens focuses.")

#define SANE_NAME_AUTOFOCUS "autofocus"
#define SANE_TITLE_AUTOFOCUS SANE_I18N("Autofocus")
#define SANE_DESC_AUTOFOCUS SANE_I18N("Let the device find the focus before it scans.")

#define SANE_NAME_INFRARED "infra-red"
#define SANE_TITLE_INFRARED SANE_I18N("Infrared scan")
#define SANE_DESC_INFRARED SANE_I18N("Scan in infrared light, which shows dust and scratches.")

/* Files. */

#define SANE_NAME_FILE "filename"
#define SANE_TITLE_FILE SANE_I18N("Filename")
#define SANE_DESC_FILE SANE_I18N("Name of the file that the image comes from.")

/* Buttons and detectors. */

#define SANE_NAME_SCAN "scan"
#define SANE_TITLE_SCAN "Scan button"
#define SANE_DESC_SCAN SANE_I18N("Whether the scan button is or was pressed.")

#define SANE_NAME_EMAIL "email"
#define SANE_TITLE_EMAIL "Email button"
#define SANE_DESC_EMAIL SANE_I18N("Whether the email button is or was pressed.")

#define SANE_NAME_FAX "fax"
#define SANE_TITLE_FAX "Fax button"
#define SANE_DESC_FAX SANE_I18N("Whether the fax button is or was pressed.")

#define SANE_NAME_COPY "copy"
#define SANE_TITLE_COPY "Copy button"
#define SANE_DESC_COPY SANE_I18N("Whether the copy button is or was pressed.")

#define SANE_NAME_PDF "pdf"
#define SANE_TITLE_PDF "PDF button"
#define SANE_DESC_PDF SANE_I18N("Whether the PDF button is or was pressed.")

#define SANE_NAME_CANCEL "cancel"
#define SANE_TITLE_CANCEL "Cancel button"
#define SANE_DESC_CANCEL SANE_I18N("Whether the cancel button is or was pressed.")

#define SANE_NAME_PAGE_LOADED "page-loaded"
#define SANE_TITLE_PAGE_LOADED "Page loaded"
#define SANE_DESC_PAGE_LOADED SANE_I18N("Whether there is paper in the feeder.")

#define SANE_NAME_COVER_OPEN "cover-open"
#define SANE_TITLE_COVER_OPEN "Cover open"
#define SANE_DESC_COVER_OPEN SANE_I18N("Whether a lid or cover is not closed.")

/* Scan modes. */

#define SANE_VALUE_SCAN_MODE_COLOR SANE_I18N("Color")
#define SANE_VALUE_SCAN_MODE_COLOR_LINEART SANE_I18N("Color Lineart")
#define SANE_VALUE_SCAN_MODE_COLOR_HALFTONE SANE_I18N("Color Halftone")
#define SANE_VALUE_SCAN_MODE_GRAY SANE_I18N("Gray")
#define SANE_VALUE_SCAN_MODE_HALFTONE SANE_I18N("Halftone")
#define SANE_VALUE_SCAN_MODE_LINEART SANE_I18N("Lineart")

#endif /* saneopts_h */
