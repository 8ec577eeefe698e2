# libjpeg, as far as jpeg.pyx and jpeg_encoder.pyx use it.

cdef extern from *:
    """
    #include <stdio.h>
    #include <jpeglib.h>
    #include <jerror.h>
    """

cdef extern from "jerror.h" nogil:
    int JWRN_HIT_MARKER
    int JTRC_SOS

cdef extern from "jpeglib.h" nogil:
    int DCTSIZE
    int JMSG_LENGTH_MAX
    int JPEG_SUSPENDED
    int JPEG_MAX_DIMENSION
    int JPEG_EOI

    ctypedef int boolean
    ctypedef unsigned char JSAMPLE
    ctypedef JSAMPLE *JSAMPROW
    ctypedef unsigned int JDIMENSION

    ctypedef enum J_COLOR_SPACE:
        JCS_GRAYSCALE
        JCS_RGB
        JCS_YCbCr
        JCS_CMYK

    struct jpeg_common_struct:
        jpeg_error_mgr *err

    struct jpeg_error_mgr:
        void (*error_exit)(jpeg_common_struct *) noexcept nogil
        void (*emit_message)(jpeg_common_struct *, int) noexcept nogil
        void (*output_message)(jpeg_common_struct *) noexcept nogil
        void (*format_message)(jpeg_common_struct *, char *) noexcept nogil
        long num_warnings
        int msg_code

    struct jpeg_source_mgr:
        const unsigned char *next_input_byte
        size_t bytes_in_buffer
        void (*init_source)(jpeg_decompress_struct *) noexcept nogil
        boolean (*fill_input_buffer)(jpeg_decompress_struct *) noexcept nogil
        void (*skip_input_data)(jpeg_decompress_struct *, long) noexcept nogil
        boolean (*resync_to_restart)(jpeg_decompress_struct *, int) noexcept nogil
        void (*term_source)(jpeg_decompress_struct *) noexcept nogil

    struct jpeg_decompress_struct:
        jpeg_error_mgr *err
        jpeg_source_mgr *src
        void *client_data
        JDIMENSION image_width, image_height, output_scanline
        JDIMENSION input_iMCU_row
        int num_components, output_components, input_scan_number, max_v_samp_factor, unread_marker
        unsigned int restart_interval
        boolean saw_Adobe_marker
        J_COLOR_SPACE jpeg_color_space, out_color_space

    struct jpeg_destination_mgr:
        unsigned char *next_output_byte
        size_t free_in_buffer
        void (*init_destination)(jpeg_compress_struct *) noexcept nogil
        boolean (*empty_output_buffer)(jpeg_compress_struct *) noexcept nogil
        void (*term_destination)(jpeg_compress_struct *) noexcept nogil

    struct jpeg_component_info:
        int h_samp_factor, v_samp_factor

    struct jpeg_compress_struct:
        jpeg_error_mgr *err
        jpeg_destination_mgr *dest
        void *client_data
        JDIMENSION image_width, image_height
        int input_components
        J_COLOR_SPACE in_color_space
        jpeg_component_info *comp_info
        unsigned char density_unit
        unsigned short X_density, Y_density

    jpeg_error_mgr *jpeg_std_error(jpeg_error_mgr *)
    void jpeg_create_decompress(jpeg_decompress_struct *)
    void jpeg_destroy_decompress(jpeg_decompress_struct *)
    int jpeg_read_header(jpeg_decompress_struct *, boolean)
    boolean jpeg_start_decompress(jpeg_decompress_struct *)
    JDIMENSION jpeg_read_scanlines(jpeg_decompress_struct *, JSAMPROW *, JDIMENSION)
    boolean jpeg_resync_to_restart(jpeg_decompress_struct *, int)

    void jpeg_create_compress(jpeg_compress_struct *)
    void jpeg_destroy_compress(jpeg_compress_struct *)
    void jpeg_set_defaults(jpeg_compress_struct *)
    void jpeg_set_quality(jpeg_compress_struct *, int, boolean)
    void jpeg_start_compress(jpeg_compress_struct *, boolean)
    JDIMENSION jpeg_write_scanlines(jpeg_compress_struct *, JSAMPROW *, JDIMENSION)
    void jpeg_finish_compress(jpeg_compress_struct *)
