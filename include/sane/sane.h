/* The SANE application interface: types, constants and functions of libsane.

   SPDX-License-Identifier: MIT
   Copyright (c) 2026 The PySANE authors

   Source: SANE standard 1.06, chapter 4; the section is named at each part. The layout is that of
   every libsane with the SONAME libsane.so.1. */

#ifndef sane_h
#define sane_h

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the interface (4.1). */

#define SANE_CURRENT_MAJOR 1
#define SANE_CURRENT_MINOR 0

#define SANE_VERSION_CODE(major, minor, build) \
  ((SANE_Word) ((((unsigned) (major) & 0xffu) << 24) | (((unsigned) (minor) & 0xffu) << 16) \
                | ((unsigned) (build) & 0xffffu)))

#define SANE_VERSION_MAJOR(code) (((SANE_Word) (code) >> 24) & 0xff)
#define SANE_VERSION_MINOR(code) (((SANE_Word) (code) >> 16) & 0xff)
#define SANE_VERSION_BUILD(code) ((SANE_Word) (code) & 0xffff)

/* Base types (4.2.1 to 4.2.6). */

typedef unsigned char SANE_Byte;
typedef int SANE_Word;
typedef SANE_Word SANE_Bool;
typedef SANE_Word SANE_Int;
typedef SANE_Word SANE_Fixed; /* two's complement, 16 bits before and 16 after the point */
typedef char SANE_Char;
typedef SANE_Char *SANE_String;
typedef const SANE_Char *SANE_String_Const;
typedef void *SANE_Handle;

#define SANE_FALSE 0
#define SANE_TRUE 1

#define SANE_FIXED_SCALE_SHIFT 16
/* Converts towards zero, as C does. */
#define SANE_FIX(value) ((SANE_Word) ((value) * (1 << SANE_FIXED_SCALE_SHIFT)))
#define SANE_UNFIX(word) ((double) (word) / (1 << SANE_FIXED_SCALE_SHIFT))

/* Status codes (4.2.7). */

typedef enum
{
  SANE_STATUS_GOOD = 0,
  SANE_STATUS_UNSUPPORTED = 1,
  SANE_STATUS_CANCELLED = 2,
  SANE_STATUS_DEVICE_BUSY = 3,
  SANE_STATUS_INVAL = 4,
  SANE_STATUS_EOF = 5,
  SANE_STATUS_JAMMED = 6,
  SANE_STATUS_NO_DOCS = 7,
  SANE_STATUS_COVER_OPEN = 8,
  SANE_STATUS_IO_ERROR = 9,
  SANE_STATUS_NO_MEM = 10,
  SANE_STATUS_ACCESS_DENIED = 11
} SANE_Status;

/* A device as listed by sane_get_devices (4.2.8). */

typedef struct
{
  SANE_String_Const name;
  SANE_String_Const vendor;
  SANE_String_Const model;
  SANE_String_Const type;
} SANE_Device;

/* Options (4.2.9). */

typedef enum
{
  SANE_TYPE_BOOL = 0,
  SANE_TYPE_INT = 1,
  SANE_TYPE_FIXED = 2,
  SANE_TYPE_STRING = 3,
  SANE_TYPE_BUTTON = 4,
  SANE_TYPE_GROUP = 5
} SANE_Value_Type;

typedef enum
{
  SANE_UNIT_NONE = 0,
  SANE_UNIT_PIXEL = 1,
  SANE_UNIT_BIT = 2,
  SANE_UNIT_MM = 3,
  SANE_UNIT_DPI = 4,
  SANE_UNIT_PERCENT = 5,
  SANE_UNIT_MICROSECOND = 6
} SANE_Unit;

#define SANE_CAP_SOFT_SELECT (1 << 0) /* settable through sane_control_option */
#define SANE_CAP_HARD_SELECT (1 << 1) /* settable by a switch on the device */
#define SANE_CAP_SOFT_DETECT (1 << 2) /* readable through sane_control_option */
#define SANE_CAP_EMULATED (1 << 3)
#define SANE_CAP_AUTOMATIC (1 << 4)
#define SANE_CAP_INACTIVE (1 << 5)
#define SANE_CAP_ADVANCED (1 << 6)

#define SANE_OPTION_IS_ACTIVE(cap) (((cap) & SANE_CAP_INACTIVE) == 0)
#define SANE_OPTION_IS_SETTABLE(cap) (((cap) & SANE_CAP_SOFT_SELECT) != 0)

typedef enum
{
  SANE_CONSTRAINT_NONE = 0,
  SANE_CONSTRAINT_RANGE = 1,
  SANE_CONSTRAINT_WORD_LIST = 2,
  SANE_CONSTRAINT_STRING_LIST = 3
} SANE_Constraint_Type;

typedef struct
{
  SANE_Word min;
  SANE_Word max;
  SANE_Word quant; /* step counted from min; 0: any value */
} SANE_Range;

typedef struct
{
  SANE_String_Const name;
  SANE_String_Const title;
  SANE_String_Const desc;
  SANE_Value_Type type;
  SANE_Unit unit;
  SANE_Int size; /* bytes of the value */
  SANE_Int cap;
  SANE_Constraint_Type constraint_type;
  union
  {
    const SANE_String_Const *string_list; /* ends with NULL */
    const SANE_Word *word_list;           /* element 0 counts those that follow */
    const SANE_Range *range;
  } constraint;
} SANE_Option_Descriptor;

/* Access to options (4.3.7). */

typedef enum
{
  SANE_ACTION_GET_VALUE = 0,
  SANE_ACTION_SET_VALUE = 1,
  SANE_ACTION_SET_AUTO = 2
} SANE_Action;

#define SANE_INFO_INEXACT (1 << 0)
#define SANE_INFO_RELOAD_OPTIONS (1 << 1)
#define SANE_INFO_RELOAD_PARAMS (1 << 2)

/* Scan parameters (4.3.8). */

typedef enum
{
  SANE_FRAME_GRAY = 0,
  SANE_FRAME_RGB = 1,
  SANE_FRAME_RED = 2,
  SANE_FRAME_GREEN = 3,
  SANE_FRAME_BLUE = 4
} SANE_Frame;

typedef struct
{
  SANE_Frame format;
  SANE_Bool last_frame;
  SANE_Int bytes_per_line;
  SANE_Int pixels_per_line;
  SANE_Int lines; /* -1: not known beforehand */
  SANE_Int depth; /* bits per sample */
} SANE_Parameters;

/* Authorization (4.3.1): both buffers have the lengths below, the NUL included. */

#define SANE_MAX_USERNAME_LEN 128
#define SANE_MAX_PASSWORD_LEN 128

struct SANE_Auth_Data; /* never defined; declared because other headers of this name do */

typedef void (*SANE_Auth_Callback) (SANE_String_Const resource,
                                    SANE_Char username[SANE_MAX_USERNAME_LEN],
                                    SANE_Char password[SANE_MAX_PASSWORD_LEN]);

/* Functions (4.3.1 to 4.3.14). */

extern SANE_Status sane_init (SANE_Int *version_code, SANE_Auth_Callback authorize);
extern void sane_exit (void);
extern SANE_Status sane_get_devices (const SANE_Device ***device_list, SANE_Bool local_only);
extern SANE_Status sane_open (SANE_String_Const devicename, SANE_Handle *handle);
extern void sane_close (SANE_Handle handle);
extern const SANE_Option_Descriptor *sane_get_option_descriptor (SANE_Handle handle,
                                                                 SANE_Int option);
extern SANE_Status sane_control_option (SANE_Handle handle, SANE_Int option, SANE_Action action,
                                        void *value, SANE_Int *info);
extern SANE_Status sane_get_parameters (SANE_Handle handle, SANE_Parameters *params);
extern SANE_Status sane_start (SANE_Handle handle);
extern SANE_Status sane_read (SANE_Handle handle, SANE_Byte *data, SANE_Int max_length,
                              SANE_Int *length);
extern void sane_cancel (SANE_Handle handle);
extern SANE_Status sane_set_io_mode (SANE_Handle handle, SANE_Bool non_blocking);
extern SANE_Status sane_get_select_fd (SANE_Handle handle, SANE_Int *fd);
extern SANE_String_Const sane_strstatus (SANE_Status status);

#ifdef __cplusplus
}
#endif

#endif /* sane_h */
